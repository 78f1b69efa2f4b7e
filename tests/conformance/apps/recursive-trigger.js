const schema = `
export const counters = sqliteTable('counters', { id: integer('id').primaryKey(), n: integer('n') });`;

export default {
  name: 'triggers do not fire themselves again',
  history: [
    schema,
    { custom: `CREATE TRIGGER counters_up AFTER UPDATE ON counters WHEN new.n < 10 BEGIN UPDATE counters SET n = n + 1 WHERE id = new.id; END;` },
  ],
  seed: `INSERT INTO counters VALUES (1, 0), (2, 100);`,
  pending: [{ custom: `UPDATE counters SET n = n + 1;` }],
  real: { always: { harm: { 'counters.n changed': 2 } } },
};
