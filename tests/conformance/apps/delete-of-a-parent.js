const schema = (onDelete) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey() });
export const posts = sqliteTable('posts', { id: integer('id').primaryKey(), userId: integer('user_id').references(() => users.id, { onDelete: '${onDelete}' }) });`;

export default {
  name: 'a DELETE of a referenced row: an error with foreign keys on, an orphan with them off',
  layouts: ['v0', 'v1'],
  history: [schema('no action')],
  seed: `INSERT INTO users VALUES (1), (2); INSERT INTO posts VALUES (1, 1), (2, 2);`,
  pending: [{ custom: `DELETE FROM users WHERE id = 1;` }],
  real: {
    'better-sqlite3': { error: /FOREIGN KEY constraint failed/ },
    libsql: { harm: { 'users rows': 1, 'posts orphans': 1 } },
  },
};
