const schema = (amount) => `
export const payments = sqliteTable('payments', { id: integer('id').primaryKey(), amount: ${amount} });`;

export default {
  name: 'text becomes real: digits beyond 2^53 are gone',
  history: [schema(`text('amount')`)],
  seed: `INSERT INTO payments VALUES (1, '9007199254740993'), (2, '0.10'), (3, '1.5'), (4, NULL);`,
  pending: [schema(`real('amount')`)],
  real: { always: { harm: { 'payments.amount changed': 3 } } },
};
