const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), active: integer('active') });`;

export default {
  name: 'several statements without a breakpoint: better-sqlite3 refuses, libsql runs the first',
  layouts: ['v0', 'v1'],
  history: [schema],
  seed: `INSERT INTO users VALUES (1, NULL), (2, 0);`,
  pending: [{ custom: `CREATE TABLE one (a integer);\nCREATE TABLE two (b integer);\nUPDATE users SET active = 1;` }],
  real: { 'better-sqlite3': { error: /more than one statement/ } },
};
