const schema = `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), handle: text('handle').unique() });
export const posts = sqliteTable('posts', { id: integer('id').primaryKey(), userId: integer('user_id').references(() => users.id, { onDelete: 'cascade' }) });`;

export default {
  name: 'INSERT OR REPLACE removes the row in its way, and what refers to it',
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'ada'), (2, 'bob'); INSERT INTO posts VALUES (1, 1), (2, 2);`,
  pending: [{ custom: `INSERT OR REPLACE INTO users VALUES (9, 'ada');` }],
  real: {
    'better-sqlite3': { harm: { 'users rows': 1, 'posts rows': 1 } },
    libsql: { harm: { 'users rows': 1, 'posts orphans': 1 } },
  },
};
