// geni: its command, `geni up`.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { CACHE, padded, run, text } from './lib/command.js';

const COMMAND = join(CACHE, 'geni/bin/geni');

const cases = [
  {
    name: 'by number, and only what ends with .up.sql',
    pending: [
      { path: '10_ten.up.sql', text: 'CREATE TABLE ten (x);\n' },
      { path: '9_nine.up.sql', text: 'CREATE TABLE nine (x);\n' },
      { path: '0008_eight.up.sql', text: 'CREATE TABLE eight (x);\n' },
      { path: '9_nine.down.sql', text: 'DROP TABLE nine;\n' },
      { path: '11_none.sql', text: 'not read' },
    ],
    expect: { default: { applied: [8, 9, 10], made: ['eight', 'nine', 'ten'] } },
  },
  {
    name: 'the marker without a space, and on a line that is not ended',
    pending: [
      { path: '3_one.up.sql', text: '-- transaction:no\nCREATE TABLE one (x);\nINSERT INTO nope VALUES (1);\n' },
    ],
    expect: { default: { made: ['one'], error: 'no such table: nope' } },
  },
];

export default [
  {
    id: 'geni',
    rehearse: 'geni',
    folder: 'migrations',
    missing: existsSync(COMMAND) ? undefined : 'geni is not installed: compiling it takes long, and did not succeed here',
    ledger: (table = 'schema_migrations') => ({ table, volatile: {}, internal: /^sqlite_stat4$/ }),
    path: ({ version, name }) => `${padded(version)}_${name}.up.sql`,
    twin: ({ version, name }) => `${padded(version)}_${name}_twin.up.sql`,
    files: (migration, path) => ({ [path]: `${migration.noTransaction ? '-- transaction:no\n' : ''}${text(migration.sql)}` }),
    applied: (query, table = 'schema_migrations') => query(`SELECT id FROM ${table} ORDER BY rowid`).map((row) => Number(row.id)),
    run: async ({ migrations, database, table, scratch }) => {
      const { exit, stdout, stderr } = await run(COMMAND, ['up'], {
        cwd: scratch,
        env: {
          DATABASE_URL: `sqlite://${database}`,
          DATABASE_MIGRATIONS_FOLDER: migrations,
          DATABASE_NO_DUMP_SCHEMA: 'true',
          RUST_BACKTRACE: '0',
          ...(table ? { DATABASE_MIGRATIONS_TABLE: table } : {}),
        },
      });
      return exit === 0 ? null : stripVTControlCharacters(`${stdout}${stderr}`).trim().replace(/^.*\[ERROR\] /s, '');
    },
    cases,
  },
];
