const users = `export const users = sqliteTable('users', { id: integer('id').primaryKey() });\n`;
const carts = `export const carts = sqliteTable('carts', { id: integer('id').primaryKey(), userId: integer('user_id').references(() => users.id) });\n`;

export default {
  name: 'a table that is no longer exported is dropped with its rows',
  layouts: ['v0', 'v1'],
  history: [users + carts],
  seed: `INSERT INTO users VALUES (1); INSERT INTO carts VALUES (1, 1), (2, 1);`,
  pending: [users],
  real: { always: { harm: { 'carts rows': 2 } } },
};
