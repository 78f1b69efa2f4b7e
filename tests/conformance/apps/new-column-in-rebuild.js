const schema = (email, more) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), email: ${email}${more} });`;

export default {
  name: 'a new column in the same migration as a rebuild: 0.31 selects it from the old table',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema(`text('email')`, '')],
  seed: `INSERT INTO users VALUES (1, 'ada@example.org'), (2, 'bob@example.org');`,
  pending: [schema(`text('email').notNull()`, `, plan: text('plan').default('free')`)],
  real: { v0: { error: /no such column: "?plan"?/ } },
};
