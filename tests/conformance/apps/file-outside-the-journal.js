import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const table = (name) => `export const ${name} = sqliteTable('${name}', { id: integer('id').primaryKey() });\n`;

export default {
  name: 'an SQL file that the journal does not name is not run',
  history: [table('users')],
  seed: `INSERT INTO users VALUES (1);`,
  pending: [
    table('users') + table('posts'),
    { edit: (project) => writeFile(join(project.migrations, '0002_stray.sql'), 'DROP TABLE users;') },
  ],
};
