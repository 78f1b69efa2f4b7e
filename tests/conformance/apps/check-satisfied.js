const schema = (checks) => `
export const accounts = sqliteTable('accounts', { id: integer('id').primaryKey(), balance: integer('balance') }${checks});`;

export default {
  name: 'a new CHECK that every row satisfies is harmless',
  benign: true,
  history: [schema('')],
  seed: `INSERT INTO accounts VALUES (1, 10), (2, NULL);`,
  pending: [schema(`, (table) => [check('not_negative', sql\`\${table.balance} >= 0\`)]`)],
};
