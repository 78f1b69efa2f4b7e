const schema = `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), email: text('email') });
export const posts = sqliteTable('posts', {
  id: integer('id').primaryKey(),
  userId: integer('user_id').notNull().references(() => users.id, { onDelete: 'cascade' }),
});`;

export default {
  name: 'a migration that commits for itself: better-sqlite3 keeps the children, libsql stops half-way',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'ada@example.org'), (2, 'bob@example.org'); INSERT INTO posts VALUES (1, 1), (2, 2);`,
  pending: [{
    custom: [
      'CREATE TABLE tags (id integer PRIMARY KEY);',
      'COMMIT TRANSACTION;',
      'PRAGMA foreign_keys = OFF;',
      'BEGIN TRANSACTION;',
      'CREATE TABLE `__new_users` (`id` integer PRIMARY KEY NOT NULL, `email` text NOT NULL);',
      'INSERT INTO `__new_users` SELECT `id`, `email` FROM `users`;',
      'DROP TABLE `users`;',
      'ALTER TABLE `__new_users` RENAME TO `users`;',
      'COMMIT;',
      'PRAGMA foreign_keys = ON;',
      'BEGIN TRANSACTION;',
    ].join('\n--> statement-breakpoint\n'),
  }],
  real: { libsql: { error: /transaction/i } },
};
