const schema = (name, age) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), ${name}: text('${name}'), age: ${age} });`;

export default {
  name: 'a rename in the same migration as a rebuild: 0.31 drops the rename',
  layouts: ['v0', 'v1'],
  benign: true,
  renamed: { 'users.name': 'full_name' },
  history: [schema('name', `text('age')`)],
  seed: `INSERT INTO users VALUES (1, 'Ada', NULL), (2, 'Bob', NULL);`,
  pending: [{ schema: schema('full_name', `integer('age')`), renames: [['users', 'name', 'full_name']] }],
  real: { v0: { error: /no such column: "?full_name"?/ } },
};
