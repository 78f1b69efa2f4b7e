const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: text('name') });`;

export default {
  name: 'an applied file that was edited afterwards is not run again',
  layouts: ['v0', 'v1'],
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'ada');`,
  pending: [{ edit: (project) => project.rewrite(0, (sql) => sql.replace('`name` text', '`name` text NOT NULL')) }],
};
