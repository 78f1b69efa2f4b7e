const schema = (to) => `
export const order = sqliteTable('order', { id: integer('id').primaryKey(), group: ${to} });
export const items = sqliteTable("it's a table", {
  id: integer('rowid').primaryKey(),
  order: integer('ord er').references(() => order.id, { onDelete: 'cascade' }),
  note: text('größe "x"'),
});`;

export default {
  name: 'tables and columns with keywords, quotes and spaces in their names',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema(`text('group')`)],
  seed: `INSERT INTO "order" VALUES (1, 'a'), (2, 'b'); INSERT INTO "it's a table" VALUES (1, 1, 'x'), (2, 2, NULL);`,
  pending: [schema(`text('group').notNull()`)],
  real: { 'better-sqlite3': { harm: { "it's a table rows": 2 } } },
};
