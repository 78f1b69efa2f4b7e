const schema = (name) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey({ autoIncrement: true }), name: ${name} });`;

export default {
  name: 'a rebuild sets AUTOINCREMENT back to the highest id that is left',
  layouts: ['v0', 'v1'],
  history: [schema(`text('name')`)],
  seed: `INSERT INTO users(name) VALUES ('a'), ('b'), ('c'), ('d'); DELETE FROM users WHERE id > 2;`,
  pending: [schema(`text('name').notNull()`)],
};
