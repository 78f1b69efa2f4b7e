const schema = (email) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), email: ${email} });`;

export default {
  name: 'NOT NULL over a column that holds NULLs fails',
  layouts: ['v0', 'v1'],
  history: [schema(`text('email')`)],
  seed: `INSERT INTO users VALUES (1, 'ada@example.org'), (2, NULL);`,
  pending: [schema(`text('email').notNull()`)],
  real: { always: { error: /NOT NULL constraint failed: __new_users\.email/ } },
};
