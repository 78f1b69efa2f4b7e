const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), active: integer('active') });`;

export default {
  name: 'a chunk of which libsql runs only the deleting half',
  history: [schema],
  seed: `INSERT INTO users VALUES (1, NULL), (2, 0);`,
  pending: [{ custom: `DELETE FROM users;\nINSERT INTO users VALUES (1, 1), (2, 1);` }],
  real: { 'better-sqlite3': { error: /more than one statement/ }, libsql: { harm: { 'users rows': 2 } } },
};
