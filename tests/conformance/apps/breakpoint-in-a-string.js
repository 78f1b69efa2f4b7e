const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: text('name') });`;

export default {
  name: 'the breakpoint mark inside a string cuts the string',
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'ada');`,
  pending: [{ custom: `UPDATE users SET name = 'a --> statement-breakpoint b';` }],
  real: { always: { error: /unrecognized token: "'/ } },
};
