// rusqlite_migration: Migrations::from_directory and to_latest.
import { padded, runReal, text } from './lib/command.js';

const inDirectory = (what) => `rusqlite error while loading migrations from directory: ${what}`;

const cases = [
  {
    name: 'the database is further than the folder',
    prepare: 'PRAGMA user_version = 7',
    expect: {
      default: {
        refusal: 'rusqlite_migration error in migrations definition: Attempt to migrate a database with a migration number that is too high',
      },
    },
  },
  {
    name: 'a negative user_version',
    prepare: 'PRAGMA user_version = -3',
    expect: { default: { refusal: 'rusqlite_migration error: invalid user version received' } },
  },
  {
    name: 'a gap between the numbers',
    pending: [{ version: 4, name: 'made', sql: 'CREATE TABLE made (x);\n' }],
    expect: { default: { refusal: inDirectory('Migration ids must be consecutive numbers') } },
  },
  {
    name: 'number zero',
    pending: [{ version: 0, name: 'made', sql: 'CREATE TABLE made (x);\n' }],
    expect: { default: { refusal: inDirectory('00-made has an incorrect migration id: migration id cannot be 0') } },
  },
  {
    name: 'a folder without a hyphen',
    pending: [{ path: '03_made/up.sql', text: 'CREATE TABLE made (x);\n' }],
    expect: { default: { refusal: inDirectory('Could not extract migration id from file name 03_made') } },
  },
  {
    name: 'a folder without up.sql',
    pending: [{ version: 3, name: 'made', sql: 'CREATE TABLE made (x);\n' }, { path: '04-none/down.sql', text: 'SELECT 1;\n' }],
    expect: { default: { refusal: inDirectory('Missing upward migration file for migration 04-none') } },
  },
  {
    name: 'user_version set by a script is set again',
    pending: [{ version: 3, name: 'made', sql: 'PRAGMA user_version = 1;\nCREATE TABLE made (x);\n' }],
    expect: { default: { applied: [3], made: ['made'] } },
  },
];

export default [
  {
    id: 'rusqlite-migration',
    rehearse: 'rusqlite-migration',
    folder: 'migrations',
    foreignKeys: 'on',
    // No table; its number is user_version.
    ledger: () => ({ table: null, volatile: {} }),
    path: ({ version, name }) => `${padded(version, 2)}-${name}`,
    twin: ({ version, name }) => `${padded(version, 2)}-${name}-twin`,
    files: (migration, path) => ({ [`${path}/up.sql`]: text(migration.sql) }),
    applied: (query) => Array.from({ length: query('PRAGMA user_version')[0].user_version }, (_, at) => at + 1),
    run: ({ migrations, database, foreignKeys }) =>
      runReal('real-rusqlite-migration', [migrations, database, ...(foreignKeys ? ['--foreign-keys', foreignKeys] : [])]),
    cases,
  },
];
