const schema = (first) => `
export const people = sqliteTable('people', {
  id: integer('id').primaryKey(),
  first: ${first},
  last: text('last'),
  full: text('full').generatedAlwaysAs(sql\`"first" || ' ' || "last"\`, { mode: 'stored' }),
  initial: text('initial').generatedAlwaysAs(sql\`substr("first", 1, 1)\`, { mode: 'virtual' }),
});`;

export default {
  name: 'the rebuild of a table with generated columns: an error in 0.31, right in 1.0',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema(`text('first')`)],
  seed: `INSERT INTO people(id, first, last) VALUES (1, 'Ada', 'L'), (2, 'Bob', NULL);`,
  pending: [schema(`text('first').notNull()`)],
  real: { v0: { error: /cannot INSERT into generated column|table __new_people has \d+ columns/ } },
};
