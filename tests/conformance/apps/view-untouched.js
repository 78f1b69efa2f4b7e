const schema = (more) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), email: text('email') });
export const posts = sqliteTable('posts', { id: integer('id').primaryKey(), title: text('title')${more} });
export const addresses = sqliteView('addresses').as((query) => query.select({ email: users.email }).from(users));`;

export default {
  name: 'a new column in one table leaves the view on another alone',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema('')],
  seed: `INSERT INTO users VALUES (1, 'ada@example.org'); INSERT INTO posts VALUES (1, 'a'), (2, NULL);`,
  pending: [schema(`, views: integer('views')`)],
};
