import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export const users = sqliteTable('users', {
  id: integer().primaryKey({ autoIncrement: true }),
  email: text(),
});

export const posts = sqliteTable('posts', {
  id: integer().primaryKey(),
  user_id: integer().notNull().references(() => users.id, { onDelete: 'cascade' }),
  title: text(),
});
