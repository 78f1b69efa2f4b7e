const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey() });`;

export default {
  name: 'a breakpoint after the last statement leaves an empty chunk, which fails',
  history: [schema],
  seed: `INSERT INTO users VALUES (1);`,
  pending: [{ custom: `CREATE TABLE tags (id integer);\n--> statement-breakpoint\n` }],
  real: {
    'better-sqlite3': { error: /contains no statements/ },
    libsql: { error: /not an error/ },
  },
};
