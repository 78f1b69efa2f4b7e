const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey() });`;

export default {
  name: 'PRAGMA journal_mode=WAL inside the transaction of the migrator fails',
  history: [schema],
  seed: `INSERT INTO users VALUES (1);`,
  pending: [{ custom: 'PRAGMA journal_mode=WAL;\n--> statement-breakpoint\nCREATE TABLE tags (id integer);' }],
  real: { always: { error: /cannot change into wal mode from within a transaction/ } },
};
