const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), email: text('email') });`;

export default {
  name: 'from 0.45 to 1.0 with an applied migration that no folder knows: migrate() refuses',
  refused: true,
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'a'); INSERT INTO __drizzle_migrations(hash, created_at) VALUES ('feed', 1000000000000);`,
  pending: [{ upgrade: true }],
  real: { always: { error: /do not match any local migration/ } },
};
