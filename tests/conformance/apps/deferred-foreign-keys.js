const schema = (action) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), email: text('email') });
export const posts = sqliteTable('posts', { id: integer('id').primaryKey(), userId: integer('user_id').references(() => users.id${action}) });`;

export const rebuild = {
  custom: [
    'PRAGMA defer_foreign_keys = ON;',
    'CREATE TABLE `__new_users` (`id` integer PRIMARY KEY NOT NULL, `email` text NOT NULL);',
    'INSERT INTO `__new_users` SELECT `id`, `email` FROM `users`;',
    'DROP TABLE `users`;',
    'ALTER TABLE `__new_users` RENAME TO `users`;',
  ].join('\n--> statement-breakpoint\n'),
};

export default {
  name: 'defer_foreign_keys does not stop a cascade',
  benign: true,
  history: [schema(`, { onDelete: 'cascade' }`)],
  seed: `INSERT INTO users VALUES (1, 'a'), (2, 'b'); INSERT INTO posts VALUES (1, 1), (2, 2);`,
  pending: [rebuild],
  real: { 'better-sqlite3': { harm: { 'posts rows': 2 } } },
};
