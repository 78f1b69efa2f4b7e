const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: text('name') });`;

export default {
  name: 'a failing second migration takes the first one back',
  layouts: ['v0', 'v1'],
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'ada'), (2, 'bob');`,
  pending: [
    { custom: `DELETE FROM users WHERE id = 1;\n--> statement-breakpoint\nCREATE TABLE tags (id integer);` },
    { custom: `INSERT INTO tags VALUES (1);\n--> statement-breakpoint\nINSERT INTO nowhere VALUES (1);` },
    { custom: `CREATE TABLE never (id integer);` },
  ],
  real: { always: { error: /no such table: nowhere/ } },
};
