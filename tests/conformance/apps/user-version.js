const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey() });`;

export default {
  name: 'PRAGMA user_version and application_id written by a migration',
  benign: true,
  history: [schema],
  seed: `INSERT INTO users VALUES (1); PRAGMA user_version = 3; PRAGMA application_id = 77;`,
  pending: [{ custom: `PRAGMA user_version = 4;\n--> statement-breakpoint\nPRAGMA application_id = 78;` }],
};
