const schema = (generated) => `
export const orders = sqliteTable('orders', {
  id: integer('id').primaryKey(),
  net: integer('net').notNull(),
  gross: integer('gross')${generated},
});`;

export default {
  name: 'a generated column made plain is dropped and added again, empty',
  layouts: ['v0', 'v1'],
  history: [schema(`.generatedAlwaysAs(sql\`"net" * 2\`, { mode: 'virtual' })`)],
  seed: `INSERT INTO orders(id, net) VALUES (1, 100), (2, 250);`,
  pending: [schema('')],
  real: { always: { harm: { 'orders.gross nulled': 2 } } },
};
