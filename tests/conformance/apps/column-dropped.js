const schema = (more) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey()${more}, name: text('name') });`;

export default {
  name: 'a column with values is dropped',
  layouts: ['v0', 'v1'],
  history: [schema(`, nick: text('nick')`)],
  seed: `INSERT INTO users VALUES (1, 'a', 'Ada'), (2, NULL, 'Bob'), (3, 'c', 'Cy');`,
  pending: [schema('')],
  real: { always: { harm: { 'users.nick dropped': 2 } } },
};
