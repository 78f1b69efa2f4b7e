// Prisma: `prisma migrate deploy` with its engine in JavaScript and the adapter of better-sqlite3. The native engine is fetched at
// run time and cannot be had where there is only a package registry; a file that is there keeps prisma from fetching it.
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { anything, time, uuid } from '../lib/database.js';
import { NODE_MODULES, padded, run, text } from './lib/command.js';

const config = `import { PrismaBetterSQLite3 } from '@prisma/adapter-better-sqlite3';
export default {
  engine: 'js',
  experimental: { adapter: true },
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  adapter: async () => new PrismaBetterSQLite3({ url: process.env.DATABASE_URL }),
};
`;

/** What the adapter makes of SQLite's words. */
const translations = {
  'no such table: nope': 'The underlying table for model `nope` does not exist.',
  'UNIQUE constraint failed: users.id': 'Unique constraint failed on the fields: (`id`)',
  'near "TABEL": syntax error': 'External error id#0',
  'error in view mailed: no such table: main.users': 'External error id#0',
  'cannot start a transaction within a transaction': 'External error id#0',
  'cannot commit - no transaction is active': 'External error id#0',
};

const P3009 =
  'migrate found failed migrations in the target database, new migrations will not be applied. Read more about how to resolve migration issues in a production database: https://pris.ly/d/migrate-resolve';
const made = { version: 3, name: 'made', sql: 'CREATE TABLE made (x);\n' };

const cases = [
  {
    name: 'two failed migrations are both named',
    dirty: [1, 2],
    pending: [made],
    expect: { default: { refusal: [P3009, 'The `0001_users` migration started at', 'The `0002_tags` migration started at'] } },
  },
  {
    name: 'a migration marked as rolled back runs again',
    ledgerSql: `UPDATE _prisma_migrations SET finished_at = NULL, rolled_back_at = '2026-01-01T00:00:00.000+00:00' WHERE migration_name = '0002_tags'; DROP TABLE tags;`,
    pending: [made],
    expect: { default: { applied: [2, 3], made: ['tags', 'made'] } },
  },
  {
    name: 'a folder without migration.sql stops everything, even an old one',
    pending: [{ path: '0000_none/notes.txt', text: 'no SQL' }, made],
    expect: { default: { refusal: 'Could not find the migration file at migration.sql. Please delete the directory or restore the migration file.' } },
  },
  {
    name: 'the lock file names another database',
    pending: [{ path: 'migration_lock.toml', text: 'provider = "postgresql"\n' }, made],
    expect: {
      default: {
        refusal: 'The datasource provider `sqlite` specified in your schema does not match the one specified in the migration_lock.toml, `postgresql`.',
      },
    },
  },
  {
    name: 'names are sorted as people do',
    pending: [
      { path: '10_ten/migration.sql', text: 'CREATE TABLE ten (x);\n' },
      { path: '9_nine/migration.sql', text: 'CREATE TABLE nine (x);\n' },
      { path: 'abc/migration.sql', text: 'CREATE TABLE abc (x);\n' },
      { path: 'Bcd/migration.sql', text: 'CREATE TABLE bcd (x);\n' },
    ],
    expect: { default: { applied: [10, 9, NaN, NaN], made: ['ten', 'nine', 'abc', 'bcd'] } },
  },
  {
    name: 'a script that opens a transaction and does not end it',
    pending: [{ version: 3, name: 'open', sql: 'BEGIN;\nCREATE TABLE made (x);\n' }],
    // It says that all is well.
    expect: { default: { pending: 1 } },
  },
  {
    name: 'a script that fails in its own transaction',
    pending: [{ version: 3, name: 'open', sql: 'BEGIN;\nCREATE TABLE made (x);\nINSERT INTO nope VALUES (1);\nCOMMIT;\n' }],
    expect: { default: { error: 'no such table: nope' } },
  },
];

export default [
  {
    id: 'prisma',
    rehearse: 'prisma',
    folder: 'prisma/migrations',
    ledger: () => ({ table: '_prisma_migrations', volatile: { id: uuid, started_at: time, finished_at: time, rolled_back_at: time, logs: anything } }),
    project: {
      'prisma.config.mjs': config,
      'prisma/schema.prisma': 'datasource db {\n  provider = "sqlite"\n  url      = env("DATABASE_URL")\n}\n',
      'prisma/migrations/migration_lock.toml': 'provider = "sqlite"\n',
    },
    path: ({ version, name }) => `${padded(version)}_${name}`,
    twin: ({ version, name }) => `${padded(version)}_${name}_twin`,
    files: (migration, path) => ({ [`${path}/migration.sql`]: text(migration.sql) }),
    applied: (query) =>
      query('SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY rowid').map(({ name }) => Number.parseInt(name, 10)),
    dirty: (version) => `UPDATE _prisma_migrations SET finished_at = NULL, applied_steps_count = 0 WHERE migration_name LIKE '${padded(version)}%'`,
    says: (words) => translations[words] ?? words,
    run: async ({ project, database }) => {
      const engine = join(project, 'engine');
      await symlink(NODE_MODULES, join(project, 'node_modules')).catch(() => {});
      await writeFile(engine, '', { mode: 0o755 });
      const { exit, stderr } = await run(
        process.execPath,
        [join(NODE_MODULES, 'prisma/build/index.js'), 'migrate', 'deploy', '--config', 'prisma.config.mjs'],
        {
          cwd: project,
          env: {
            CHECKPOINT_DISABLE: '1',
            DATABASE_URL: `file:${database}`,
            NO_COLOR: '1',
            PRISMA_HIDE_UPDATE_MESSAGE: '1',
            PRISMA_QUERY_ENGINE_LIBRARY: engine,
            PRISMA_SCHEMA_ENGINE_BINARY: engine,
          },
        },
      );
      return exit === 0 ? null : stderr.slice(stderr.indexOf('Error: ') + 'Error: '.length).trim();
    },
    cases,
  },
];
