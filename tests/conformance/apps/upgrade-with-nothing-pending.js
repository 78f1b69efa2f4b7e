const schema = (more) => `export const users = sqliteTable('users', { id: integer('id').primaryKey(), email: text('email')${more} });`;

export default {
  name: 'from 0.45 to 1.0 with nothing pending: the ledger gets its new columns',
  benign: true,
  history: [schema(''), schema(`, plan: text('plan')`), { custom: 'CREATE INDEX emails ON users (email);' }],
  seed: `INSERT INTO users VALUES (1, 'ada@example.org', NULL);`,
  pending: [{ upgrade: true }],
};
