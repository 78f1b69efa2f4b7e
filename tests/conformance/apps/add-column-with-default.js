const schema = (more) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: text('name')${more} });`;

export default {
  name: 'new columns with constant defaults are harmless',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema('')],
  seed: `INSERT INTO users VALUES (1, 'ada'), (2, NULL);`,
  pending: [schema(`, plan: text('plan').notNull().default('free'), seats: integer('seats').default(1), rate: real('rate').default(0.5), note: text('note')`)],
};
