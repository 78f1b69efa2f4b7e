// Cloudflare D1: `wrangler d1 migrations apply --local`, which runs the migrations in workerd.
import { createHmac, createHash } from 'node:crypto';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { execute, time } from '../lib/database.js';
import { NODE_MODULES, padded, run, text } from './lib/command.js';

const cases = [
  {
    name: 'numbers come before names, by number',
    pending: [
      { path: '10_ten.sql', text: 'CREATE TABLE ten (x);\n' },
      { path: '9_nine.sql', text: 'CREATE TABLE nine (x);\n' },
      { path: 'abc.sql', text: 'CREATE TABLE abc (x);\n' },
    ],
    expect: { default: { applied: [9, 10, NaN], made: ['nine', 'ten', 'abc'] } },
  },
  {
    name: 'BEGIN TRANSACTION and COMMIT are taken out',
    pending: [{ version: 3, name: 'made', sql: 'BEGIN TRANSACTION;\nCREATE TABLE made (x);\nCOMMIT;\n' }],
    expect: { default: { applied: [3], made: ['made'] } },
  },
  {
    name: 'two transactions in a file',
    pending: [{ version: 3, name: 'made', sql: 'BEGIN TRANSACTION;\nCREATE TABLE made (x);\nCOMMIT;\nBEGIN TRANSACTION;\nCOMMIT;\n' }],
    expect: { default: { error: 'Wrangler could not process the provided SQL file, as it contains several transactions.' } },
  },
];

export default [
  {
    id: 'd1',
    rehearse: 'd1',
    folder: 'migrations',
    // workerd keeps a table of its own. Its ANALYZE makes no sqlite_stat4; that of rehearse does.
    ledger: (table = 'd1_migrations') => ({ table, volatile: { applied_at: time }, internal: /^(_cf_.*|sqlite_stat4)$/ }),
    project: (table) => ({
      'wrangler.json': JSON.stringify({
        name: 'app',
        compatibility_date: '2026-01-01',
        d1_databases: [{ binding: 'DB', database_name: 'db', database_id: 'app', ...(table ? { migrations_table: table } : {}) }],
      }),
    }),
    path: ({ version, name }) => `${padded(version)}_${name}.sql`,
    twin: ({ version, name }) => `${padded(version)}_${name}_twin.sql`,
    files: (migration, path) => ({ [path]: text(migration.sql) }),
    applied: (query, table = 'd1_migrations') => query(`SELECT name FROM ${table} ORDER BY rowid`).map(({ name }) => Number.parseInt(name, 10)),
    run: async ({ project, database, scratch }) => {
      const state = join(scratch, 'state');
      const file = join(state, 'v3/d1/miniflare-D1DatabaseObject', `${objectName('app')}.sqlite`);
      await mkdir(dirname(file), { recursive: true });
      await copyFile(database, file);
      const { exit, stderr } = await run(join(NODE_MODULES, '.bin/wrangler'), ['d1', 'migrations', 'apply', 'db', '--local', '--persist-to', state], {
        cwd: project,
        env: { CI: '1', HOME: scratch, WRANGLER_HIDE_BANNER: 'true', WRANGLER_LOG_PATH: join(scratch, 'logs'), WRANGLER_SEND_METRICS: 'false' },
      });
      // workerd leaves a WAL; as a single file it is the database that the others see.
      execute(file, 'PRAGMA journal_mode = DELETE');
      await copyFile(file, database);
      await rm(state, { recursive: true });
      return exit === 0 ? null : message(stderr);
    },
    cases,
  },
];

/** The error that comes after the line which only says that there is one. */
function message(stderr) {
  const errors = stripVTControlCharacters(stderr).split('✘ [ERROR] ').slice(1).map((error) => error.split('\n\n')[0].trim());
  return errors.find((error) => !error.endsWith('failed with the following errors:')) ?? stderr;
}

/** The name that miniflare gives to the file of a database. */
function objectName(id) {
  const key = createHash('sha256').update('miniflare-D1DatabaseObject').digest();
  const name = createHmac('sha256', key).update(id).digest().subarray(0, 16);
  const check = createHmac('sha256', key).update(name).digest().subarray(0, 16);
  return Buffer.concat([name, check]).toString('hex');
}
