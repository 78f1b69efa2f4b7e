const schema = (total) => `
export const invoices = sqliteTable('invoices', { id: integer('id').primaryKey(), total: ${total} });
export const lines = sqliteTable('lines', {
  id: integer('id').primaryKey(),
  invoiceId: integer('invoice_id').references(() => invoices.id),
});`;

export default {
  name: 'a rebuilt parent whose NO ACTION children refer to nobody is harmless',
  benign: true,
  history: [schema(`integer('total')`)],
  seed: `
    INSERT INTO invoices VALUES (1, 500), (2, 700);
    INSERT INTO lines VALUES (1, NULL), (2, NULL);`,
  pending: [schema(`integer('total').notNull()`)],
};
