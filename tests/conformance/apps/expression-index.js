const schema = (name) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: ${name} },
  (table) => [index('users_lower').on(sql\`lower(\${table.name})\`)]);`;

export default {
  name: 'the rebuild of a table with an expression index: 0.31 quotes the expression as a column',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [{ edit: () => {} }, schema(`text('name')`), {
    edit: (project) => project.layout === 'v0' && project.rewrite(0, (sql) => sql.replace(/\(`lower\(.*?\)`\)/, '(lower("name"))')),
  }],
  seed: `INSERT INTO users VALUES (1, 'Ada'), (2, 'BOB');`,
  pending: [schema(`text('name').notNull()`)],
  real: { v0: { error: /no such column/ } },
};
