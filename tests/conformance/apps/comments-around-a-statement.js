const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: text('name') });`;

export default {
  name: 'comments, a trailing semicolon and a SELECT are no second statement',
  benign: true,
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'ada');`,
  pending: [{ custom: `-- before; it starts\nCREATE TABLE tags (id integer /* ; */, t text DEFAULT ';'); ; -- after;\n--> statement-breakpoint\nSELECT count(*) FROM users;\n--> statement-breakpoint\nPRAGMA table_info(users);` }],
};
