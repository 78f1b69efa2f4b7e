// diesel: the MigrationHarness of diesel_migrations.
import { time } from '../lib/database.js';
import { padded, runReal, text } from './lib/command.js';

const REBUILD = [
  'PRAGMA foreign_keys=OFF;',
  'CREATE TABLE new_users (id INTEGER PRIMARY KEY, email TEXT, active INTEGER);',
  'INSERT INTO new_users SELECT id, email, 1 FROM users;',
  'DROP TABLE users;',
  'ALTER TABLE new_users RENAME TO users;',
  'PRAGMA foreign_keys=ON;',
].join('\n');

const cases = [
  {
    name: 'metadata.toml without the key means no transaction',
    pending: [{ path: '0003_rebuild/up.sql', text: REBUILD }, { path: '0003_rebuild/metadata.toml', text: '' }],
    expect: { default: { applied: [3], made: ['users'] } },
  },
  {
    name: 'metadata.toml that cannot be read means a transaction',
    pending: [{ path: '0003_rebuild/up.sql', text: REBUILD }, { path: '0003_rebuild/metadata.toml', text: '= =' }],
    expect: { default: { applied: [3], made: ['users'], harm: { 'posts rows': 4, 'comments.user_id nulled': 2 } } },
  },
  {
    name: 'versions are texts without hyphens',
    pending: [
      { path: '2024-01-02-030405_dated/up.sql', text: 'CREATE TABLE dated (x);\n' },
      { path: '10_ten/up.sql', text: 'CREATE TABLE ten (x);\n' },
      { path: '9_nine/up.sql', text: 'CREATE TABLE nine (x);\n' },
    ],
    expect: { default: { applied: [10, 20240102030405, 9], made: ['ten', 'dated', 'nine'] } },
  },
  {
    name: 'a name without an underscore, a file and a hidden folder',
    pending: [
      { path: '0003/up.sql', text: 'CREATE TABLE made (x);\n' },
      { path: 'README.md', text: 'no migration' },
      { path: '.hidden/x', text: 'no migration' },
    ],
    expect: { default: { applied: [3], made: ['made'] } },
  },
  {
    name: 'a folder without up.sql stops everything',
    pending: [{ version: 3, name: 'made', sql: 'CREATE TABLE made (x);\n' }, { path: '0004_none/down.sql', text: 'SELECT 1;\n' }],
    expect: {
      default: {
        refusal: "Invalid migration directory: the directory's name should be <timestamp>_<name_of_migration>, and it should contain up.sql and optionally down.sql.",
      },
    },
  },
  {
    name: 'diesel_manage_updated_at makes its trigger',
    pending: [
      {
        version: 3,
        name: 'updated_at',
        sql: "ALTER TABLE users ADD COLUMN updated_at TIMESTAMP;\nSELECT diesel_manage_updated_at('users');\n",
      },
    ],
    expect: { default: { applied: [3], made: ['users'] } },
  },
];

export default [
  {
    id: 'diesel',
    rehearse: 'diesel',
    folder: 'migrations',
    foreignKeys: 'on',
    ledger: () => ({ table: '__diesel_schema_migrations', volatile: { run_on: time } }),
    path: ({ version, name }) => `${padded(version)}_${name}`,
    // Which of two folders with one version is taken is not defined; with the same text it does not matter.
    twin: ({ version, name }) => `${padded(version)}_${name}_twin`,
    files: (migration, path) => ({
      [`${path}/up.sql`]: text(migration.sql),
      ...(migration.noTransaction ? { [`${path}/metadata.toml`]: 'run_in_transaction = false\n' } : {}),
    }),
    applied: (query) => query('SELECT version FROM __diesel_schema_migrations ORDER BY rowid').map((row) => Number(row.version)),
    run: ({ migrations, database, foreignKeys }) =>
      runReal('real-diesel', [migrations, database, ...(foreignKeys ? ['--foreign-keys', foreignKeys] : [])]),
    cases,
  },
];
