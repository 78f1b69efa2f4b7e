// refinery: the Runner of its library with its defaults.
import { time } from '../lib/database.js';
import { padded, runReal, text } from './lib/command.js';

const cases = [
  {
    name: 'an unversioned migration may be older',
    history: [1, 3],
    pending: [
      { path: 'U0002__older.sql', text: 'CREATE TABLE older (x);\n' },
      { path: 'U0004__newer.sql', text: 'CREATE TABLE newer (x);\n' },
    ],
    expect: { default: { applied: [2, 4], made: ['older', 'newer'] } },
  },
  {
    name: 'a renamed applied file differs',
    pending: [{ version: 3, name: 'made', sql: 'CREATE TABLE made (x);\n' }],
    rename: { 2: 'V0002__other.sql' },
    expect: { default: { refusal: 'applied migration V2__tags is different than filesystem one V2__other' } },
  },
  {
    name: 'an applied file that is now unversioned is the same',
    pending: [{ version: 3, name: 'made', sql: 'CREATE TABLE made (x);\n' }],
    rename: { 2: 'U0002__tags.sql' },
    expect: { default: { applied: [3], made: ['made'] } },
  },
  {
    name: 'folders are searched, and files with other names are none',
    pending: [
      { path: 'inside/V6__inside.sql', text: 'CREATE TABLE inside (x);\n' },
      { path: 'V3__with-hyphen.sql', text: 'not read' },
      { path: 'V4_one_underscore.sql', text: 'not read' },
      { path: 'v5__small.sql', text: 'not read' },
    ],
    expect: { default: { applied: [6], made: ['inside'] } },
  },
  {
    name: 'a version with a point stops everything',
    pending: [{ path: 'V3.1__made.sql', text: 'CREATE TABLE made (x);\n' }],
    expect: { default: { refusal: 'migration version must be a valid integer' } },
  },
];

export default [
  {
    id: 'refinery',
    rehearse: 'refinery',
    folder: 'migrations',
    foreignKeys: 'on',
    ledger: (table = 'refinery_schema_history') => ({ table, volatile: { applied_on: time } }),
    path: ({ version, name }) => `V${padded(version)}__${name}.sql`,
    // The order of files with the same number is not defined; with the same name and text it does not matter.
    twin: ({ version, name }) => `V${padded(version, 6)}__${name}.sql`,
    files: (migration, path) => ({ [path]: text(migration.sql) }),
    applied: (query, table = 'refinery_schema_history') => query(`SELECT version FROM ${table} ORDER BY rowid`).map((row) => row.version),
    run: async ({ migrations, database, table, foreignKeys }) => {
      const options = [...(foreignKeys ? ['--foreign-keys', foreignKeys] : []), ...(table ? ['--table', table] : [])];
      const message = await runReal('real-refinery', [migrations, database, ...options]);
      // The first line is the error, the others are its causes.
      return message?.split('\n')[0] ?? null;
    },
    cases,
  },
];
