const schema = `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), email: text('email') });
export const posts = sqliteTable('posts', { id: integer('id').primaryKey(), userId: integer('user_id').references(() => users.id, { onDelete: 'cascade' }) });`;

export default {
  name: 'a rebuild written by hand in another case',
  benign: true,
  renamed: { users: 'Users', 'users.email': 'Email' },
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'a'), (2, 'b'); INSERT INTO posts VALUES (1, 1), (2, 2);`,
  pending: [{
    custom: [
      'create table new_users (id integer primary key not null, Email text not null);',
      'insert into NEW_USERS select ID, EMAIL from USERS;',
      'drop table USERS;',
      'alter table New_Users rename to Users;',
    ].join('\n--> statement-breakpoint\n'),
  }],
  real: { 'better-sqlite3': { harm: { 'posts rows': 2 } } },
};
