const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), plan: text('plan') });`;

export default {
  name: 'a double-quoted string in a partial index is a column name to these drivers',
  history: [schema],
  seed: `INSERT INTO users VALUES (1, NULL), (2, 'x');`,
  pending: [{ custom: `CREATE INDEX free_users ON users (id) WHERE plan = "free";` }],
  real: { always: { error: /no such column: "?free"?/ } },
};
