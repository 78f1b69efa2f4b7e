import { rm } from 'node:fs/promises';

const table = (name) => `export const ${name} = sqliteTable('${name}', { id: integer('id').primaryKey() });\n`;

export default {
  name: 'a journal that names a file which is not there: migrate() refuses',
  refused: true,
  history: [table('users')],
  seed: `INSERT INTO users VALUES (1);`,
  pending: [table('users') + table('posts'), { edit: async (project) => rm((await project.files()).at(-1)) }],
  real: { always: { error: /No file .*step2\.sql/ } },
};
