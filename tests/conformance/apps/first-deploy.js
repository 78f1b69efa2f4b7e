const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: text('name') });`;

export default {
  name: 'the first deploy, beside a table of somebody else',
  layouts: ['v0', 'v1'],
  benign: true,
  ledger: false,
  history: [],
  seed: `CREATE TABLE settings (key text PRIMARY KEY, value) WITHOUT ROWID; INSERT INTO settings VALUES ('b', 2), ('a', x'00');`,
  pending: [schema, { custom: `INSERT INTO users VALUES (1, 'admin');` }],
};
