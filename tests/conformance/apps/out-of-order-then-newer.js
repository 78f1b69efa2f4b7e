const table = (name) => `export const ${name} = sqliteTable('${name}', { id: integer('id').primaryKey() });\n`;

export default {
  name: 'of two new migrations only the one that is newer than the last applied one runs',
  history: [table('users')],
  seed: `INSERT INTO users VALUES (1);`,
  pending: [
    table('users') + table('posts'),
    table('users') + table('posts') + table('tags'),
    { edit: (project) => project.journal((entries) => { entries[1].when = entries[0].when; }) },
  ],
};
