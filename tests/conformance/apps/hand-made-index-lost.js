const schema = (name) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: ${name}, city: text('city') },
  (table) => [index('users_city').on(table.city)]);`;

export default {
  name: 'a rebuild takes the indexes that the schema file does not know with it',
  layouts: ['v0', 'v1'],
  history: [
    schema(`text('name')`),
    { custom: `CREATE INDEX users_name ON users (name COLLATE NOCASE DESC) WHERE name IS NOT NULL;` },
  ],
  seed: `INSERT INTO users VALUES (1, 'Ada', 'Bern'), (2, 'bob', NULL);`,
  pending: [schema(`text('name').notNull()`)],
  real: { always: { harm: { 'index users_name': 1 } } },
};
