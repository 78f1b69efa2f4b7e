import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const table = (name) => `export const ${name} = sqliteTable('${name}', { id: integer('id').primaryKey() });\n`;

export default {
  name: 'a folder older than the last applied one is run by 1.0',
  layouts: ['v1'],
  benign: true,
  history: [table('users')],
  seed: `INSERT INTO users VALUES (1);`,
  pending: [
    table('users') + table('posts'),
    {
      edit: async (project) => {
        const folder = dirname((await project.files())[1]);
        await rename(folder, join(project.migrations, '20200101000000_step2'));
      },
    },
  ],
};
