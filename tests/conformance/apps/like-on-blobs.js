const schema = `export const files = sqliteTable('files', { id: integer('id').primaryKey(), head: blob('head'), kind: text('kind') });`;

export default {
  name: 'LIKE on blobs: never true in better-sqlite3',
  history: [schema],
  seed: `INSERT INTO files VALUES (1, x'504446', NULL), (2, 'PDF', NULL);`,
  notRehearsed: { 'better-sqlite3': 'better-sqlite3 is built with SQLITE_LIKE_DOESNT_MATCH_BLOBS, rehearse is not' },
  pending: [{ custom: `UPDATE files SET kind = 'pdf' WHERE head LIKE 'pdf%';` }],
};
