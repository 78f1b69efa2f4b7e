const schema = (email) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), email: ${email} });
export const posts = sqliteTable('posts', {
  id: integer('id').primaryKey(),
  userId: integer('user_id').notNull().references(() => users.id, { onDelete: 'cascade' }),
  title: text('title'),
});`;

export default {
  name: 'a rebuilt parent empties its cascade children where foreign keys stay on',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema(`text('email')`)],
  seed: `
    INSERT INTO users VALUES (1, 'ada@example.org'), (2, 'bob@example.org'), (3, 'cy@example.org');
    INSERT INTO posts VALUES (10, 1, 'one'), (11, 1, NULL), (12, 2, 'three');`,
  pending: [schema(`text('email').notNull()`)],
  real: { 'better-sqlite3': { harm: { 'posts rows': 3 } } },
};
