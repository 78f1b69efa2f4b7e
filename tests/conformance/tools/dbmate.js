// dbmate: its command, `dbmate migrate`. Its own npm package asks for packages of other platforms that are not in every registry.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_MODULES, padded, run, text } from './lib/command.js';

const COMMAND = join(NODE_MODULES, '@dbmate/linux-x64/bin/dbmate');
const up = (sql) => `-- migrate:up\n${sql}\n`;
const down = '\n-- migrate:down\n';
const made = { version: 3, name: 'made', sql: 'CREATE TABLE made (x);\n' };

const cases = [
  {
    name: 'a file without a down block, after one that is applied',
    pending: [made, { path: '0004_none.sql', text: up('SELECT 1;') }],
    expect: {
      default: { applied: [3], made: ['made'], refusal: "dbmate requires each migration to define a down block with '-- migrate:down'" },
    },
  },
  {
    name: 'a file without an up block',
    pending: [{ path: '0003_none.sql', text: 'SELECT 1;\n' }],
    expect: { default: { refusal: "dbmate requires each migration to define an up block with '-- migrate:up'" } },
  },
  {
    name: 'a statement before the up block',
    pending: [{ path: '0003_none.sql', text: `SELECT 1;\n${up('SELECT 1;')}${down}` }],
    expect: { default: { refusal: "dbmate does not support statements preceding the '-- migrate:up' block" } },
  },
  {
    name: 'a comment before the up block',
    pending: [{ path: '0003_made.sql', text: `-- a comment\n\n${up('CREATE TABLE made (x);')}${down}` }],
    expect: { default: { applied: [3], made: ['made'] } },
  },
  {
    name: 'two up blocks in a file: the second cannot be written down',
    pending: [{ path: '0003_two.sql', text: `${up('CREATE TABLE one (x);')}${down}${up('CREATE TABLE two (x);')}${down}` }],
    expect: { default: { applied: [3], made: ['one'], error: 'UNIQUE constraint failed: schema_migrations.version' } },
  },
  {
    name: 'versions are texts, in the order of the names',
    pending: [
      { path: '10_ten.sql', text: `${up('CREATE TABLE ten (x);')}${down}` },
      { path: '9_nine.sql', text: `${up('CREATE TABLE nine (x);')}${down}` },
      { path: '09nine.sql', text: `${up('CREATE TABLE nine_again (x);')}${down}` },
      { path: 'x11_none.sql', text: 'not read' },
      { path: 'inside/12_inside.sql', text: 'not read' },
    ],
    expect: { default: { applied: [9, 10, 9], made: ['nine_again', 'ten', 'nine'] } },
  },
  {
    name: 'the marker in other spellings',
    pending: [
      { path: '0003_one.sql', text: '--migrate:up  transaction:false  other:true\nPRAGMA foreign_keys = ON;\nCREATE TABLE one (x);\n--migrate:down\n' },
      { path: '0004_two.sql', text: `-- migrate:up transaction:true\nCREATE TABLE two (x);\n${down}` },
    ],
    expect: { default: { applied: [3, 4], made: ['one', 'two'] } },
  },
];

export default [
  {
    id: 'dbmate',
    rehearse: 'dbmate',
    folder: 'db/migrations',
    foreignKeys: 'off',
    missing: existsSync(COMMAND) ? undefined : 'dbmate is not installed: here it is only had for Linux on x64',
    // Its ANALYZE makes no sqlite_stat4; that of rehearse does.
    ledger: (table = 'schema_migrations') => ({ table, volatile: {}, internal: /^sqlite_stat4$/ }),
    path: ({ version, name }) => `${padded(version)}_${name}.sql`,
    twin: ({ version, name }) => `${padded(version)}_${name}_twin.sql`,
    files: (migration, path) => ({
      [path]: `-- migrate:up${migration.noTransaction ? ' transaction:false' : ''}\n${text(migration.sql)}${down}`,
    }),
    applied: (query, table = 'schema_migrations') => query(`SELECT version FROM ${table} ORDER BY rowid`).map((row) => Number(row.version)),
    run: async ({ migrations, database, table, foreignKeys }) => {
      const url = `sqlite:${database}${foreignKeys ? `?_foreign_keys=${foreignKeys}` : ''}`;
      const options = ['--no-dump-schema', '--migrations-dir', migrations, '--url', url, ...(table ? ['--migrations-table', table] : [])];
      const { exit, stderr } = await run(COMMAND, [...options, 'migrate']);
      return exit === 0 ? null : stderr.trim().replace(/^Error: /, '');
    },
    cases,
  },
];
