const schema = (indexes) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), handle: text('handle') }${indexes});`;

export default {
  name: 'a unique index over duplicates fails',
  layouts: ['v0', 'v1'],
  history: [schema('')],
  seed: `INSERT INTO users VALUES (1, 'ada'), (2, 'ada'), (3, NULL), (4, NULL);`,
  pending: [schema(`, (table) => [uniqueIndex('users_handle').on(table.handle)]`)],
  real: { always: { error: /UNIQUE constraint failed: users\.handle/ } },
};
