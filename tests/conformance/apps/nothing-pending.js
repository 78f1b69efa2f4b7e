const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: text('name') });`;

export default {
  name: 'nothing is pending',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema, { custom: 'CREATE INDEX names ON users (name);' }],
  seed: `INSERT INTO users VALUES (1, 'ada');`,
  pending: [],
};
