const users = `export const users = sqliteTable('users', { id: integer('id').primaryKey() });\n`;
const carts = `export const carts = sqliteTable('carts', { id: integer('id').primaryKey(), userId: integer('user_id').references(() => users.id) });\n`;

export default {
  name: 'an empty table is dropped',
  benign: true,
  history: [users + carts],
  seed: `INSERT INTO users VALUES (1);`,
  pending: [users],
};
