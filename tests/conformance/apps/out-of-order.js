const table = (name) => `export const ${name} = sqliteTable('${name}', { id: integer('id').primaryKey() });\n`;

export default {
  name: 'a migration older than the last applied one: 0.45 never runs it, and says nothing',
  history: [table('users')],
  seed: `INSERT INTO users VALUES (1);`,
  pending: [
    table('users') + table('posts'),
    { edit: (project) => project.journal((entries) => { entries[1].when = entries[0].when - 1000; }) },
  ],
};
