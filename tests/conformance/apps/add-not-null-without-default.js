const schema = (more) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey()${more} });`;

export default {
  name: 'a NOT NULL column without a default cannot be added to a table with rows',
  layouts: ['v0', 'v1'],
  history: [schema('')],
  seed: `INSERT INTO users VALUES (1), (2);`,
  pending: [schema(`, plan: text('plan').notNull()`)],
  real: { always: { error: /Cannot add a NOT NULL column with default value NULL/ } },
};
