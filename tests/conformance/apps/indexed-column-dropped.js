const schema = (more) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey()${more} });`;

export default {
  name: 'a column that a hand-made index uses cannot be dropped',
  history: [schema(`, nick: text('nick')`), { custom: 'CREATE INDEX nicks ON users (nick);' }],
  seed: `INSERT INTO users VALUES (1, 'a'), (2, NULL);`,
  pending: [schema('')],
  real: { always: { error: /error in index nicks after drop column: no such column: nick/ } },
};
