const schema = (checks) => `
export const accounts = sqliteTable('accounts', { id: integer('id').primaryKey(), balance: integer('balance') }${checks});`;

export default {
  name: 'a new CHECK that a row violates fails',
  layouts: ['v0', 'v1'],
  history: [schema('')],
  seed: `INSERT INTO accounts VALUES (1, 10), (2, -3);`,
  pending: [schema(`, (table) => [check('not_negative', sql\`\${table.balance} >= 0\`)]`)],
  real: { always: { error: /CHECK constraint failed: not_negative/ } },
};
