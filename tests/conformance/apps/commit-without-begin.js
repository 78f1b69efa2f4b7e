const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: text('name') });`;

export default {
  name: 'a migration that commits and does not begin again: the COMMIT of the migrator fails, and everything stays',
  layouts: ['v0', 'v1'],
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'ada');`,
  pending: [{ custom: 'CREATE TABLE tags (id integer);\n--> statement-breakpoint\nCOMMIT;' }, { custom: `INSERT INTO tags VALUES (1);` }],
  real: { always: { error: /no transaction is active|TRANSACTION_CLOSED|transaction is closed/i } },
};
