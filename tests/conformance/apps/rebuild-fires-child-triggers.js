const schema = (email) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), email: ${email} });
export const posts = sqliteTable('posts', { id: integer('id').primaryKey(), userId: integer('user_id').references(() => users.id, { onDelete: 'cascade' }) });
export const audit = sqliteTable('audit', { id: integer('id').primaryKey(), what: text('what') });`;

export default {
  name: 'the cascade of a rebuild fires the delete triggers of the children',
  benign: true,
  history: [
    schema(`text('email')`),
    { custom: `CREATE TRIGGER posts_deleted AFTER DELETE ON posts BEGIN INSERT INTO audit(what) VALUES ('post ' || old.id); END;` },
  ],
  seed: `INSERT INTO users VALUES (1, 'a'), (2, 'b'); INSERT INTO posts VALUES (1, 1), (2, 1), (3, 2);`,
  pending: [schema(`text('email').notNull()`)],
  real: { 'better-sqlite3': { harm: { 'posts rows': 3 } } },
};
