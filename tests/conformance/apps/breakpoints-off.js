const table = (name) => `export const ${name} = sqliteTable('${name}', { id: integer('id').primaryKey() });\n`;

export default {
  name: 'breakpoints: false makes one chunk of two CREATE TABLE',
  history: [table('users')],
  seed: `INSERT INTO users VALUES (1);`,
  pending: [{ schema: table('users') + table('posts') + table('tags'), breakpoints: false }],
  real: { 'better-sqlite3': { error: /more than one statement/ } },
};
