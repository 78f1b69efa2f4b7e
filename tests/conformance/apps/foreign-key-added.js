const schema = (reference) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey() });
export const posts = sqliteTable('posts', { id: integer('id').primaryKey(), userId: integer('user_id')${reference} });`;

export default {
  name: 'a new foreign key over rows that refer to nobody: an error with foreign keys on, orphans with them off',
  layouts: ['v0', 'v1'],
  history: [schema('')],
  seed: `INSERT INTO users VALUES (1); INSERT INTO posts VALUES (1, 1), (2, 99);`,
  pending: [schema(`.references(() => users.id)`)],
  real: {
    'better-sqlite3': { error: /FOREIGN KEY constraint failed/ },
    libsql: { harm: { 'posts orphans': 1 } },
  },
};
