const schema = `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), email: text('email') });
export const posts = sqliteTable('posts', { id: integer('id').primaryKey(), userId: integer('user_id').references(() => users.id, { onDelete: 'cascade' }) });`;

export default {
  name: 'a rebuild that renames the old table away turns its children to the old name, then drops it',
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'a'), (2, 'b'); INSERT INTO posts VALUES (1, 1), (2, 2);`,
  pending: [{
    custom: [
      'ALTER TABLE users RENAME TO users_old;',
      'CREATE TABLE users (id integer PRIMARY KEY NOT NULL, email text NOT NULL);',
      'INSERT INTO users SELECT id, email FROM users_old;',
      'DROP TABLE users_old;',
    ].join('\n--> statement-breakpoint\n'),
  }],
  real: { 'better-sqlite3': { harm: { 'posts rows': 2 } }, libsql: { harm: { 'posts orphans': 2 } } },
};
