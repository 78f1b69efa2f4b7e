// The tools: how each is run, where it records what it did, and what comes of each case in projects/.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const HERE = import.meta.dirname;
const PACKAGES = join(HERE, 'node_modules');
const DRIZZLE = join(HERE, '../node_modules');
const DRIZZLE_1 = join(HERE, '../v1/node_modules');
const PRISMA = { PRISMA_QUERY_ENGINE_LIBRARY: join(HERE, '.cache/engine'), PRISMA_SCHEMA_ENGINE_BINARY: join(HERE, '.cache/engine') };

const seed = (users) => `
  INSERT INTO ${users} (id, email) VALUES (1, 'a@example.org'), (2, 'b@example.org'), (3, 'c@example.org'), (9, 'gone');
  DELETE FROM ${users} WHERE id = 9;
  INSERT INTO posts (id, user_id, title) VALUES (1, 1, 'x'), (2, 1, 'y'), (3, 2, NULL), (4, 3, 'z');`;
const SEED = seed('users');

/** The posts went with the users whose table was dropped. */
const LOST = { code: 'LS102', table: 'posts', rows: 4, sql: /drop table/i };
/** The same of a command that cannot be traced. */
const EMPTIED = { code: 'LS110', table: 'posts', rows: 4 };
const POSTS = { 'posts rows': 4 };
const UNIQUE = /UNIQUE constraint failed|Unique constraint failed|Validation error/i;
/** The rebuilt table forgets how far its ids had got. */
const SET_BACK = { code: 'VL212', table: 'users', level: 'warning' };
/** The tool has no transaction around a migration. */
const NOT_ATOMIC = { code: 'TX506', level: 'note' };
const HALF_DONE = { code: 'TX506' };
const NO_AUTOINCREMENT = { code: 'SC316', table: 'users', level: 'warning' };

function missing(program, args, without) {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return '';
  } catch {
    return without;
  }
}

const node = { packages: PACKAGES, seed: SEED, traced: true, always: { NO_COLOR: '1' } };
const python = { seed: SEED, traced: true, at: 'app.db' };

const knex = {
  ...node,
  project: 'knex',
  recipe: 'knex',
  exec: 'npx knex migrate:latest --client better-sqlite3 --connection {db}',
  volatile: { knex_migrations: ['migration_time'] },
};
const push = {
  ...node,
  project: 'drizzle',
  recipe: 'drizzle-kit push',
  exec: 'npx drizzle-kit push --force',
  env: { DATABASE_URL: 'file:{db}' },
};

export default [
  {
    ...push,
    id: 'drizzle-push',
    name: 'drizzle-kit push 0.31',
    packages: DRIZZLE,
    cases: {
      harmless: { title: 'a new column' },
      required: {
        title: 'a column that must have a value empties the table, and what refers to it',
        harm: { 'users rows': 3, 'posts rows': 4 },
        finds: [
          { code: 'LS107', table: 'users', rows: 3, sql: /delete from/i },
          { code: 'LS102', table: 'posts', rows: 4, sql: /delete from/i },
          NOT_ATOMIC,
        ],
      },
      nulls: { title: 'NOT NULL over a NULL leaves half of it', fails: /NOT NULL constraint failed/, finds: [{ code: 'SC317', table: '__new_posts' }, HALF_DONE] },
    },
  },
  {
    ...push,
    id: 'drizzle-push-1',
    name: 'drizzle-kit push 1.0',
    packages: DRIZZLE_1,
    cases: {
      harmless: { title: 'a new column' },
      hints: {
        title: 'with the answer the table is emptied, and what refers to it refers to nothing',
        files: ['required'],
        exec: `npx drizzle-kit push --force --hints '[{"type":"confirm_data_loss","kind":"add_not_null","entity":["public","users","city"]}]'`,
        harm: { 'users rows': 3, 'posts orphans': 4 },
        finds: [{ code: 'LS107', table: 'users', rows: 3, sql: /delete from/i }, { code: 'LS109', table: 'posts', rows: 4 }],
      },
      required: { title: 'what loses data is refused without an answer', fails: /missing_hints|hints/, code: 'EX601', traced: true },
      nulls: { title: 'NOT NULL over a NULL leaves half of it', fails: /NOT NULL constraint failed|SQLITE_CONSTRAINT/ },
    },
  },
  {
    ...push,
    id: 'drizzle-migrate',
    project: 'drizzle-migrate',
    name: 'drizzle-kit migrate 0.31',
    recipe: 'drizzle-kit migrate',
    exec: 'npx drizzle-kit migrate',
    packages: DRIZZLE,
    cases: {
      rebuild: { title: 'a rebuild keeps what refers to the table under libsql', finds: [SET_BACK] },
      failing: { title: 'a migration that fails leaves nothing', fails: /applying migrations/ },
    },
  },
  {
    ...node,
    id: 'prisma',
    name: 'prisma migrate deploy 6.19',
    recipe: 'prisma migrate deploy',
    exec: 'npx prisma migrate deploy',
    env: { DATABASE_URL: 'file:{db}' },
    always: { NO_COLOR: '1', CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1', CI: '1', ...PRISMA },
    volatile: { _prisma_migrations: ['id', 'started_at', 'finished_at', 'logs'] },
    cases: {
      harmless: { title: 'a new column', pending: ['0002_city'] },
      rebuild: { title: 'a rebuild keeps what refers to the table', finds: [SET_BACK, NOT_ATOMIC], pending: ['0003_email_required'] },
      failing: { title: 'a migration that fails stays half applied', fails: UNIQUE, finds: [HALF_DONE] },
    },
  },
  {
    ...node,
    id: 'prisma-push',
    project: 'prisma',
    name: 'prisma db push 6.19',
    recipe: 'prisma db push',
    exec: 'npx prisma db push --accept-data-loss --skip-generate',
    env: { DATABASE_URL: 'file:{db}' },
    always: { NO_COLOR: '1', CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1', CI: '1', ...PRISMA },
    cases: {
      // One case only: it waits a minute for a server that it would like to ask something.
      dropped: { title: 'a column goes without a question', harm: { 'users.email dropped': 3 }, finds: [{ code: 'VL201', table: 'users' }, SET_BACK, NOT_ATOMIC] },
    },
  },
  {
    ...knex,
    id: 'knex-better-sqlite3',
    name: 'knex, better-sqlite3',
    cases: {
      harmless: { title: 'a new column', pending: ['0002_city.js'] },
      rebuild: {
        title: 'alter() takes what refers to the table with it',
        pending: ['0002_city.js', '0003_email_required.js'],
        harm: POSTS,
        finds: [LOST, SET_BACK],
      },
      helped: {
        title: 'with the help of the finding nothing is lost',
        finds: [SET_BACK],
        exec: 'npx knex migrate:latest',
        pending: ['0002_city.js', '0003_email_required.js'],
      },
      failing: { title: 'a migration that fails leaves nothing', fails: UNIQUE },
    },
    env: { DATABASE_PATH: '{db}' },
  },
  {
    ...knex,
    id: 'knex-sqlite3',
    name: 'knex, sqlite3',
    exec: 'npx knex migrate:latest --client sqlite3 --connection {db}',
    cases: {
      harmless: { title: 'a new column', pending: ['0002_city.js'] },
      rebuild: { title: 'alter() keeps what refers to the table', finds: [SET_BACK], pending: ['0002_city.js', '0003_email_required.js'] },
      failing: { title: 'a migration that fails leaves nothing', fails: UNIQUE },
    },
  },
  {
    ...node,
    id: 'kysely',
    name: 'kysely',
    recipe: 'kysely',
    exec: 'npx kysely migrate:latest',
    env: { DATABASE_PATH: '{db}' },
    volatile: { kysely_migration: ['timestamp'] },
    cases: {
      harmless: { title: 'a new column', pending: ['0002_city'] },
      rebuild: { title: 'a rebuild takes what refers to the table with it', pending: ['0003_email_required'], harm: POSTS, finds: [LOST, SET_BACK, NOT_ATOMIC] },
      helped: { title: 'with the help of the finding nothing is lost', finds: [SET_BACK, NOT_ATOMIC], pending: ['0003_email_required'] },
      failing: { title: 'a migration that fails stays half applied', fails: UNIQUE, finds: [HALF_DONE] },
    },
  },
  {
    ...node,
    id: 'typeorm',
    name: 'typeorm',
    recipe: 'typeorm',
    exec: 'npx typeorm migration:run -d data-source.js',
    env: { DATABASE_PATH: '{db}' },
    cases: {
      harmless: { title: 'a new column', pending: ['City1700000000002'] },
      rebuild: { title: 'a rebuild keeps what refers to the table', finds: [SET_BACK], pending: ['EmailRequired1700000000003'] },
      each: {
        title: 'with the help of the finding below nothing is lost',
        files: ['rebuild'],
        exec: 'npx typeorm migration:run -d data-source.js --transaction each',
        pending: ['EmailRequired1700000000003'],
        finds: [SET_BACK],
      },
      none: {
        title: 'without a transaction it does not',
        files: ['rebuild'],
        exec: 'npx typeorm migration:run -d data-source.js --transaction none',
        pending: ['EmailRequired1700000000003'],
        harm: POSTS,
        finds: [LOST, SET_BACK, NOT_ATOMIC],
      },
      failing: { title: 'a migration that fails leaves nothing', fails: UNIQUE },
    },
  },
  {
    ...node,
    id: 'sequelize',
    name: 'sequelize',
    recipe: 'sequelize',
    exec: 'npx sequelize-cli db:migrate --url {db_url}',
    url: 'sqlite:{db}',
    cases: {
      harmless: { title: 'a new column', pending: ['0002-city.js'] },
      rebuild: {
        title: 'changeColumn() takes what refers to the table with it, and AUTOINCREMENT',
        pending: ['0003-email-required.js'],
        harm: POSTS,
        finds: [LOST, NO_AUTOINCREMENT, NOT_ATOMIC],
      },
      helped: {
        title: 'with the help of the finding no row is lost',
        pending: ['0003-email-required.js'],
        finds: [NO_AUTOINCREMENT, NOT_ATOMIC],
      },
      failing: { title: 'a migration that fails stays half applied', fails: UNIQUE, finds: [HALF_DONE] },
    },
  },
  {
    ...node,
    id: 'mikro-orm',
    name: 'mikro-orm',
    recipe: 'mikro-orm',
    exec: 'npx mikro-orm migration:up',
    env: { MIKRO_ORM_DB_NAME: '{db}' },
    volatile: { mikro_orm_migrations: ['executed_at'] },
    cases: {
      harmless: { title: 'a new column', pending: ['Migration20240101000002'] },
      rebuild: { title: 'a rebuild takes what refers to the table with it', pending: ['Migration20240101000003'], harm: POSTS, finds: [LOST, SET_BACK] },
      helped: { title: 'with the help of the finding nothing is lost', finds: [SET_BACK, NOT_ATOMIC], pending: ['Migration20240101000003'] },
      failing: { title: 'a migration that fails leaves nothing', fails: UNIQUE },
    },
  },
  {
    ...python,
    id: 'django',
    name: 'django',
    recipe: 'django',
    exec: 'python manage.py migrate --noinput',
    volatile: { django_migrations: ['applied'] },
    cases: {
      harmless: { title: 'a new column', pending: ['shop.0002_city'] },
      rebuild: { title: 'a rebuild keeps what refers to the table', finds: [SET_BACK], pending: ['shop.0003_email_required'] },
      failing: { title: 'a migration that fails leaves nothing', fails: UNIQUE },
    },
  },
  {
    ...python,
    id: 'alembic',
    name: 'alembic',
    recipe: 'alembic',
    exec: 'alembic upgrade head',
    ledger: ['alembic_version'],
    cases: {
      harmless: { title: 'a new column', pending: ['a2'] },
      rebuild: { title: 'a batch keeps what refers to the table', pending: ['a3'], finds: [NOT_ATOMIC] },
      enforced: { helpedBy: 'helped', title: 'where env.py turns foreign keys on, it does not', pending: ['a3'], harm: POSTS, finds: [LOST, NOT_ATOMIC] },
      helped: { title: 'with the help of the finding nothing is lost', pending: ['a3'], finds: [NOT_ATOMIC] },
      failing: { title: 'a migration that fails stays half applied', fails: UNIQUE, finds: [HALF_DONE] },
    },
  },
  {
    id: 'rails',
    name: 'rails (ActiveRecord 6.1)',
    recipe: 'rails',
    exec: 'bin/rails db:migrate',
    seed: SEED,
    traced: true,
    url: 'sqlite3:{db}',
    env: { DATABASE_URL: '{db_url}' },
    volatile: { ar_internal_metadata: ['created_at', 'updated_at'] },
    skip: missing('ruby', ['-e', 'require "active_record"; require "sqlite3"'], 'ruby-activerecord of Debian is not there'),
    cases: {
      harmless: { title: 'a new column', pending: ['20240101000002'] },
      rebuild: { title: 'change_column_null takes what refers to the table with it', pending: ['20240101000003'], harm: POSTS, finds: [LOST, NO_AUTOINCREMENT] },
      helped: { title: 'with the help of the finding nothing is lost', finds: [NO_AUTOINCREMENT], pending: ['20240101000003'] },
      failing: { title: 'a migration that fails leaves nothing', fails: UNIQUE },
    },
  },
  {
    id: 'laravel',
    name: 'laravel (illuminate/database 8)',
    recipe: 'laravel',
    exec: 'php artisan migrate --force',
    seed: SEED,
    traced: false,
    env: { DB_CONNECTION: 'sqlite', DB_DATABASE: '{db}' },
    prepare: 'PRAGMA user_version = 0',
    skip: missing(
      'php',
      ['-r', 'exit((@include "Illuminate/Database/autoload.php") && (@include "Illuminate/Filesystem/autoload.php") && extension_loaded("pdo_sqlite") ? 0 : 1);'],
      'php-illuminate-database of Debian is not there',
    ),
    cases: {
      harmless: { title: 'a new column', pending: ['2024_01_01_000002_add_city'] },
      rebuild: { title: 'a rebuild takes what refers to the table with it', pending: ['2024_01_01_000003_email_required'], harm: POSTS, finds: [EMPTIED, SET_BACK] },
      helped: { title: 'with the help of the finding nothing is lost', finds: [SET_BACK], pending: ['2024_01_01_000003_email_required'] },
      failing: { title: 'a migration that fails stays half applied', fails: UNIQUE },
    },
  },
  {
    id: 'pocketbase',
    name: 'pocketbase',
    recipe: 'pocketbase',
    exec: 'pocketbase migrate up --dir {db_dir} --migrationsDir pb_migrations',
    fileName: 'data.db',
    seed: seed('members'),
    traced: false,
    volatile: { _migrations: ['applied'] },
    ledger: ['_migrations'],
    snapshotFinds: [{ code: 'SN901' }],
    cases: {
      harmless: { title: 'a new column', pending: ['1700000002_city.js'] },
      rebuild: { title: 'a rebuild takes what refers to the table with it', pending: ['1700000003_email_required.js'], harm: POSTS, finds: [EMPTIED, { ...SET_BACK, table: 'members' }] },
      failing: { title: 'a migration that fails leaves nothing', fails: /UNIQUE constraint failed/ },
    },
  },
  {
    id: 'liquibase',
    name: 'liquibase 4.28',
    recipe: 'liquibase',
    exec: 'liquibase update --url={db_url}',
    url: 'jdbc:sqlite:{db}',
    seed: SEED,
    traced: false,
    volatile: { DATABASECHANGELOG: ['DATEEXECUTED', 'DEPLOYMENT_ID'] },
    skip:
      missing('java', ['-version'], 'java is not there') ||
      (existsSync('/usr/share/java/slf4j-api.jar') ? '' : 'libslf4j-java of Debian is not there'),
    cases: {
      harmless: { title: 'a new column', pending: ['changelog.sql::2::app'] },
      rebuild: { title: 'a rebuild keeps what refers to the table', finds: [SET_BACK], pending: ['changelog.sql::3::app'] },
      failing: { title: 'a migration that fails leaves nothing', fails: UNIQUE },
    },
  },
];
