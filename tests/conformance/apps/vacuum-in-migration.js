const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey() });`;

export default {
  name: 'VACUUM inside the transaction of the migrator fails',
  history: [schema],
  seed: `INSERT INTO users VALUES (1);`,
  pending: [{ custom: 'CREATE TABLE tags (id integer);\n--> statement-breakpoint\nVACUUM;' }],
  real: { always: { error: /cannot VACUUM from within a transaction/ } },
};
