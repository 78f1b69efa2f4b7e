const schema = (email) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), email: ${email} });`;

export default {
  name: 'a view on the rebuilt table makes the rename fail',
  layouts: ['v0', 'v1'],
  history: [schema(`text('email')`), { custom: `CREATE VIEW addresses AS SELECT email FROM users;` }],
  seed: `INSERT INTO users VALUES (1, 'ada@example.org'), (2, 'bob@example.org');`,
  pending: [schema(`text('email').notNull()`)],
  real: { always: { error: /error in view addresses: no such table: main\.users/ } },
};
