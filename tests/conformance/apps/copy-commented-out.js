const schema = (name) => `export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: ${name} });`;

export default {
  name: 'a rebuild whose INSERT … SELECT was removed by hand loses every row',
  layouts: ['v0', 'v1'],
  history: [schema(`text('name')`)],
  seed: `INSERT INTO users VALUES (1, 'ada'), (2, 'bob');`,
  pending: [
    schema(`text('name').notNull()`),
    { edit: (project) => project.rewrite(-1, (sql) => sql.replace(/INSERT INTO .*?breakpoint\n/, '')) },
  ],
  real: { always: { harm: { 'users rows': 2 } } },
};
