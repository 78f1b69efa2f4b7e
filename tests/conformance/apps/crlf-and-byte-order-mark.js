const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: text('name') });`;

export default {
  name: 'CRLF line ends and a byte-order mark in the file',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'ada');`,
  pending: [
    { custom: `CREATE TABLE tags (\r\n  id integer\r\n);\r\n--> statement-breakpoint\r\nINSERT INTO tags VALUES (1);\r\n` },
    { custom: `\uFEFFCREATE TABLE labels (id integer);` },
  ],
};
