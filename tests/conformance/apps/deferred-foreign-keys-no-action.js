import { rebuild } from './deferred-foreign-keys.js';

const schema = `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), email: text('email') });
export const posts = sqliteTable('posts', { id: integer('id').primaryKey(), userId: integer('user_id').references(() => users.id) });`;

export default {
  name: 'defer_foreign_keys does not save NO ACTION children: the check only waits for COMMIT',
  benign: true,
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'a'), (2, 'b'); INSERT INTO posts VALUES (1, 1), (2, 2);`,
  pending: [rebuild],
  real: { 'better-sqlite3': { error: /FOREIGN KEY constraint failed/ } },
};
