const schema = `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), email: text('email').notNull().unique() });
export const sessions = sqliteTable('sessions', {
  id: text('id').primaryKey(),
  userId: integer('user_id').notNull().references(() => users.id, { onDelete: 'cascade' }),
});`;

export default {
  name: 'from 0.45 to 1.0 with an unchanged schema: the rebuild of a table with UNIQUE empties its children',
  benign: true,
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'ada@example.org'), (2, 'bob@example.org'); INSERT INTO sessions VALUES ('a', 1), ('b', 2);`,
  pending: [{ upgrade: true }, schema],
  // 1.0 writes UNIQUE into the table instead of making an index.
  intended: ['index users_email_unique'],
  real: {
    'better-sqlite3': { harm: { 'sessions rows': 2, 'index users_email_unique': 1 } },
    libsql: { harm: { 'index users_email_unique': 1 } },
  },
};
