const schema = (more) => `export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: text('name')${more} });`;

export default {
  name: 'a ledger row of the future hides what is pending from 0.45',
  history: [schema('')],
  seed: `INSERT INTO users VALUES (1, 'ada'); INSERT INTO __drizzle_migrations(hash, created_at) VALUES ('feed', 9000000000000);`,
  pending: [schema(`, plan: text('plan')`)],
};
