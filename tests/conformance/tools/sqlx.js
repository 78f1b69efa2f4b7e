// sqlx: the Migrator of its library, as `sqlx::migrate!` and sqlx-cli use it.
import { anything, time } from '../lib/database.js';
import { padded, runReal, text } from './lib/command.js';

const cases = [
  {
    name: 'a reversible migration, and files that are none',
    pending: [
      { path: '0003_An-other_one.up.sql', text: 'CREATE TABLE made (x);\n' },
      { path: '0003_An-other_one.down.sql', text: 'DROP TABLE made;\n' },
      { path: '4.sql', text: 'no underscore' },
      { path: '0005_notes.txt', text: 'no SQL' },
      { path: 'folder/0006_inside.sql', text: 'CREATE TABLE inside (x);\n' },
    ],
    expect: { default: { applied: [3], made: ['made'] } },
  },
  {
    name: 'versions are numbers, also negative ones',
    pending: [
      { path: '-5_negative.sql', text: 'CREATE TABLE negative (x);\n' },
      { path: '0_zero.sql', text: 'CREATE TABLE zero (x);\n' },
    ],
    expect: { default: { applied: [-5, 0], made: ['negative', 'zero'] } },
  },
  {
    name: 'a name without a number stops everything',
    pending: [{ version: 3, name: 'made', sql: 'CREATE TABLE made (x);\n' }, { path: 'foo_bar.sql', text: 'SELECT 1;\n' }],
    expect: {
      default: {
        refusal: 'while resolving migrations: error parsing migration filename "foo_bar.sql"; expected integer version prefix (e.g. `01_foo.sql`)',
      },
    },
  },
  {
    name: 'an older pending file runs before an edited one is found',
    history: [2, 3],
    pending: [
      { version: 1, name: 'older', sql: 'CREATE TABLE older (x);\n' },
      { version: 4, name: 'newer', sql: 'CREATE TABLE newer (x);\n' },
    ],
    edit: { 2: '-- edited\n' },
    expect: { default: { applied: [1], made: ['older'], refusal: 'migration 2 was previously applied but has been modified' } },
  },
  {
    name: 'of two dirty ones the first is named, before a missing one',
    dirty: [1, 2],
    remove: [2],
    expect: { default: { refusal: 'migration 1 is partially applied; fix and remove row from `_sqlx_migrations` table' } },
  },
  {
    name: 'a marker that is not at the very beginning of the file is none',
    pending: [{ version: 3, name: 'late', sql: '\n-- no-transaction\nCREATE TABLE made (x);\nINSERT INTO nope VALUES (1);\n' }],
    expect: { default: { error: 'no such table: nope' } },
  },
];

function sqlx(line, version) {
  const name = `real-sqlx-${line.replace('.', '-')}`;
  return {
    id: `sqlx ${line}`,
    family: 'sqlx',
    rehearse: 'sqlx',
    folder: 'migrations',
    foreignKeys: 'on',
    // The lock file tells which sqlx the application has.
    project: {
      'Cargo.toml': `[package]\nname = "app"\nversion = "0.1.0"\nedition = "2024"\n\n[dependencies]\nsqlx = { version = "${line}", features = ["sqlite"] }\n`,
      'Cargo.lock': `version = 4\n\n[[package]]\nname = "app"\nversion = "0.1.0"\ndependencies = [\n "sqlx",\n]\n\n[[package]]\nname = "sqlx"\nversion = "${version}"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\n`,
    },
    ledger: (table = '_sqlx_migrations') => ({ table, volatile: { installed_on: time, execution_time: anything } }),
    path: ({ version: number, name: rest }) => `${padded(number)}_${rest}.sql`,
    // The order of files with the same number is not defined; with the same description and text it does not matter.
    twin: ({ version: number, name: rest }) => `${padded(number, 6)}_${rest}.sql`,
    files: (migration, path) => ({ [path]: `${migration.noTransaction ? '-- no-transaction\n' : ''}${text(migration.sql)}` }),
    applied: (query, table = '_sqlx_migrations') => query(`SELECT version FROM ${table} ORDER BY rowid`).map((row) => row.version),
    dirty: (number) => `UPDATE _sqlx_migrations SET success = 0 WHERE version = ${number}`,
    run: ({ migrations, database, table, foreignKeys }) =>
      runReal(name, [migrations, database, ...(foreignKeys ? ['--foreign-keys', foreignKeys] : []), ...(table ? ['--table', table] : [])]),
    cases,
  };
}

export default [sqlx('0.8', '0.8.6'), sqlx('0.9', '0.9.0')];
