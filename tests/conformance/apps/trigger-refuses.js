const schema = `export const ledger = sqliteTable('ledger', { id: integer('id').primaryKey(), amount: integer('amount') });`;

export default {
  name: 'a trigger that refuses makes the migration fail with its words',
  history: [schema, { custom: `CREATE TRIGGER ledger_fixed BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;` }],
  seed: `INSERT INTO ledger VALUES (1, 5);`,
  pending: [{ custom: `UPDATE ledger SET amount = 6;` }],
  real: { always: { error: /the ledger is append-only/ } },
};
