const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: text('name') });`;

export default {
  name: 'tables without a ledger, as drizzle-kit push leaves them: the first CREATE TABLE fails',
  layouts: ['v0', 'v1'],
  ledger: false,
  history: [schema],
  seed: 'CREATE TABLE users (id integer PRIMARY KEY NOT NULL, name text); INSERT INTO users VALUES (1, \'ada\');',
  pending: [],
  real: { always: { error: /table [`"]?users[`"]? already exists/ } },
};
