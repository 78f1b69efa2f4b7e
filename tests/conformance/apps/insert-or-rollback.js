const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: text('name').unique() });`;

export default {
  name: 'INSERT OR ROLLBACK ends the transaction of the migrator',
  layouts: ['v0', 'v1'],
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'ada');`,
  pending: [{ custom: `CREATE TABLE tags (id integer);\n--> statement-breakpoint\nINSERT OR ROLLBACK INTO users VALUES (2, 'ada');` }],
  real: { always: { error: /UNIQUE constraint failed: users\.name|cannot rollback - no transaction is active/ } },
};
