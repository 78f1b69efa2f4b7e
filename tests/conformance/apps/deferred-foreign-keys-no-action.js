import { rebuild } from './deferred-foreign-keys.js';

const schema = `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), email: text('email') });
export const posts = sqliteTable('posts', { id: integer('id').primaryKey(), userId: integer('user_id').references(() => users.id) });`;

export default {
  name: 'with defer_foreign_keys the check of NO ACTION children waits for COMMIT',
  benign: true,
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'a'), (2, 'b'); INSERT INTO posts VALUES (1, 1), (2, 2);`,
  pending: [rebuild],
};
