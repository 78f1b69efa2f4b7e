const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: text('name') });`;

export default {
  name: 'with an empty ledger everything is pending again',
  layouts: ['v0', 'v1'],
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'ada'); DELETE FROM __drizzle_migrations;`,
  pending: [],
  real: { always: { error: /table [`"]?users[`"]? already exists/ } },
};
