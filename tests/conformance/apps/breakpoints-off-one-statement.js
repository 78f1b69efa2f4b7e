const table = (name) => `export const ${name} = sqliteTable('${name}', { id: integer('id').primaryKey() });\n`;

export default {
  name: 'breakpoints: false with one statement is harmless',
  benign: true,
  history: [table('users')],
  seed: `INSERT INTO users VALUES (1);`,
  pending: [{ schema: table('users') + table('posts'), breakpoints: false }],
};
