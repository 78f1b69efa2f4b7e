const schema = (column) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), ${column}: text('${column}').notNull() });`;

export default {
  name: 'a renamed column keeps its values',
  layouts: ['v0', 'v1'],
  benign: true,
  renamed: { 'users.name': 'full_name' },
  history: [schema('name')],
  seed: `INSERT INTO users VALUES (1, 'Ada'), (2, '0042');`,
  pending: [{ schema: schema('full_name'), renames: [['users', 'name', 'full_name']] }],
};
