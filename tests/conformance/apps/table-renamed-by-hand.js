const schema = `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: text('name') });
export const posts = sqliteTable('posts', { id: integer('id').primaryKey(), userId: integer('user_id').references(() => users.id, { onDelete: 'cascade' }) });`;

export default {
  name: 'a table renamed by a custom migration keeps its rows and its children',
  benign: true,
  renamed: { users: 'people' },
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'ada'), (2, 'bob'); INSERT INTO posts VALUES (1, 1), (2, 2);`,
  pending: [{ custom: 'ALTER TABLE `users` RENAME TO `people`;' }],
};
