const schema = (more) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey()${more} });
export const others = sqliteTable('others', { id: integer('id').primaryKey() });`;

export default {
  name: 'a NOT NULL column without a default can be added to an empty table',
  benign: true,
  history: [schema('')],
  seed: `INSERT INTO others VALUES (1);`,
  pending: [schema(`, plan: text('plan').notNull()`)],
};
