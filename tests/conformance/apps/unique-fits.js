const schema = (unique) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), handle: text('handle')${unique} });`;

export default {
  name: 'UNIQUE on a column without duplicates is harmless',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema('')],
  seed: `INSERT INTO users VALUES (1, 'ada'), (2, 'Ada'), (3, NULL), (4, NULL);`,
  pending: [schema('.unique()')],
};
