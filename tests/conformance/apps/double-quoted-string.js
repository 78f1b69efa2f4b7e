const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), plan: text('plan') });`;

export default {
  name: 'a double-quoted string is a column name to these drivers',
  history: [schema],
  seed: `INSERT INTO users VALUES (1, NULL), (2, 'x');`,
  pending: [{ custom: `UPDATE users SET plan = "free" WHERE plan IS NULL;` }],
  real: { always: { error: /no such column: "?free"?/ } },
};
