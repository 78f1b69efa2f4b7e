const schema = (total) => `
export const invoices = sqliteTable('invoices', { id: integer('id').primaryKey(), total: ${total} });
export const lines = sqliteTable('lines', {
  id: integer('id').primaryKey(),
  invoiceId: integer('invoice_id').notNull().references(() => invoices.id),
});`;

export default {
  name: 'a rebuilt parent with NO ACTION children fails where foreign keys stay on',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema(`integer('total')`)],
  seed: `
    INSERT INTO invoices VALUES (1, 500), (2, 700);
    INSERT INTO lines VALUES (1, 1), (2, 2);`,
  pending: [schema(`integer('total').notNull()`)],
  real: { 'better-sqlite3': { error: /FOREIGN KEY constraint failed/ } },
};
