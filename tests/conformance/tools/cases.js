// What every tool is asked to do. A tool says in its own file how it names, marks and runs migrations; the README explains the fields.

/** The migrations that production has: by default 1 and 2. */
export function historic(version) {
  const known = {
    1: {
      name: 'users',
      sql: [
        'CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);',
        'CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE, title TEXT);',
        'CREATE TABLE comments (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id) ON DELETE SET NULL);',
      ],
    },
    2: { name: 'tags', sql: 'CREATE TABLE tags (id INTEGER PRIMARY KEY AUTOINCREMENT, label TEXT NOT NULL);\n' },
  };
  return { version, ...(known[version] ?? { name: 'others', sql: `CREATE TABLE others${version} (x);\n` }) };
}

/** What production has in the tables of a migration. */
export const SEED = {
  1: `INSERT INTO users VALUES (1, 'a@example.org'), (2, 'b@example.org'), (7, NULL);
      INSERT INTO posts VALUES (1, 1, 'one'), (2, 1, 'two'), (3, 2, 'three'), (9, 7, x'00ff');
      INSERT INTO comments VALUES (1, 1), (2, 7), (3, NULL);`,
  2: `INSERT INTO tags (label) VALUES ('x'), ('y'); DELETE FROM tags WHERE label = 'y';`,
};

const REBUILD = [
  'CREATE TABLE new_users (id INTEGER PRIMARY KEY, email TEXT, active INTEGER NOT NULL DEFAULT 1);',
  'INSERT INTO new_users (id, email) SELECT id, email FROM users;',
  'DROP TABLE users;',
  'ALTER TABLE new_users RENAME TO users;',
];
const OFF = 'PRAGMA foreign_keys=OFF;';
const ON = 'PRAGMA foreign_keys=ON;';
const FILL = [
  'CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id), body TEXT);',
  "INSERT INTO notes (user_id, body) SELECT id, 'a; b -- c' FROM users ORDER BY id DESC;",
  "INSERT INTO tags (label) VALUES ('z');",
];

const migration = (version, name, sql, options = {}) => ({ version, name, sql, ...options });
const made = (version, name = 'made', options = {}) => migration(version, name, `CREATE TABLE ${name} (x);\n`, options);
const failing = (version, options = {}) =>
  migration(version, 'failing', ['CREATE TABLE half (x);', 'INSERT INTO half VALUES (1);', 'INSERT INTO nope VALUES (1);'], options);

const CHILDREN_LOST = { 'posts rows': 4, 'comments.user_id nulled': 2 };
const NO_MARKER = { skip: 'has no such marker' };
const NOT_ITS_SQLITE = { skip: "better-sqlite3 tells nothing here about the SQLite of Prisma's native engine" };
const NO_LIMIT = 'the SQLite that rehearse has cannot parse it';
const NO_TRANSACTION = { refusal: 'Transactions forbidden inside transactional batch' };
const withMarker = (expect) => ({ prisma: NO_MARKER, d1: NO_MARKER, refinery: NO_MARKER, 'rusqlite-migration': NO_MARKER, ...expect });
const consecutive = (what) => ({ refusal: `rusqlite error while loading migrations from directory: ${what}` });
const ignored = { applied: [3], made: ['made'] };

export default [
  {
    name: 'nothing is pending',
    expect: { default: {} },
  },
  {
    name: 'a rebuilt parent with foreign keys off in the file, then a plain migration',
    pending: [migration(3, 'rebuild', [OFF, ...REBUILD, ON]), migration(4, 'notes', FILL)],
    expect: {
      // The pragma does nothing in a transaction.
      default: { applied: [3, 4], made: ['users', 'notes'], harm: CHILDREN_LOST },
      // No transaction.
      prisma: { applied: [3, 4], made: ['users', 'notes'] },
      // Foreign keys are off anyway.
      dbmate: { applied: [3, 4], made: ['users', 'notes'] },
      'sql-migrate': { applied: [3, 4], made: ['users', 'notes'] },
    },
  },
  {
    name: 'a rebuilt parent without a pragma',
    pending: [migration(3, 'rebuild', REBUILD)],
    expect: {
      default: { applied: [3], made: ['users'], harm: CHILDREN_LOST },
      dbmate: { applied: [3], made: ['users'] },
      'sql-migrate': { applied: [3], made: ['users'] },
    },
  },
  {
    name: 'a rebuilt parent, foreign keys set the other way by the application',
    pending: [migration(3, 'rebuild', [OFF, ...REBUILD, ON])],
    foreignKeys: 'opposite',
    expect: {
      default: { applied: [3], made: ['users'] },
      dbmate: { applied: [3], made: ['users'], harm: CHILDREN_LOST },
      'sql-migrate': { applied: [3], made: ['users'], harm: CHILDREN_LOST },
    },
  },
  {
    name: 'the marker for no transaction, and a rebuilt parent',
    pending: [migration(3, 'rebuild', [OFF, ...REBUILD, ON], { noTransaction: true })],
    foreignKeys: 'on',
    expect: withMarker({
      default: { applied: [3], made: ['users'] },
      // Knows the marker, and ignores it.
      'sqlx 0.8': { applied: [3], made: ['users'], harm: CHILDREN_LOST },
    }),
  },
  {
    name: 'the marker for no transaction, and a statement that fails',
    pending: [failing(3, { noTransaction: true }), made(4)],
    expect: withMarker({
      default: { made: ['half'], error: 'no such table: nope' },
      'sqlx 0.8': { error: 'no such table: nope' },
    }),
  },
  {
    name: 'the third statement of the second file fails',
    pending: [made(3), failing(4), made(5, 'never')],
    expect: {
      default: { applied: [3], made: ['made'], error: 'no such table: nope' },
      prisma: { applied: [3], made: ['made', 'half'], error: 'no such table: nope' },
      // One transaction for all.
      'rusqlite-migration': { error: 'no such table: nope' },
    },
  },
  {
    name: 'a statement that is no SQL',
    pending: [migration(3, 'typo', ['CREATE TABLE half (x);', 'CREATE TABEL other (x);'])],
    expect: {
      default: { error: 'near "TABEL": syntax error' },
      prisma: { made: ['half'], error: 'near "TABEL": syntax error' },
    },
  },
  {
    name: 'a rebuild that a row of production does not fit',
    pending: [
      migration(3, 'strict', [
        'CREATE TABLE new_users (id INTEGER PRIMARY KEY, email TEXT NOT NULL);',
        'INSERT INTO new_users SELECT id, email FROM users;',
        'DROP TABLE users;',
        'ALTER TABLE new_users RENAME TO users;',
      ]),
    ],
    expect: {
      default: { error: 'NOT NULL constraint failed: new_users.email' },
      prisma: { made: ['new_users'], error: 'NOT NULL constraint failed: new_users.email' },
    },
  },
  {
    name: 'a rebuild of a table that a view reads',
    prepare: 'CREATE VIEW mailed AS SELECT id FROM users WHERE email IS NOT NULL;',
    pending: [migration(3, 'rebuild', [OFF, ...REBUILD, ON])],
    expect: {
      default: { error: 'error in view mailed: no such table: main.users' },
      prisma: {
        made: ['new_users'],
        harm: { 'users rows': 3, 'posts orphans': 4, 'comments orphans': 2 },
        error: 'error in view mailed: no such table: main.users',
      },
    },
  },
  {
    name: 'a row that is there already',
    pending: [migration(3, 'row', "INSERT INTO users (id, email) VALUES (1, 'again');\n")],
    expect: { default: { error: 'UNIQUE constraint failed: users.id' } },
  },
  {
    name: 'a foreign key that is checked at COMMIT',
    pending: [made(3), migration(4, 'deferred', ['PRAGMA defer_foreign_keys=ON;', "INSERT INTO posts VALUES (50, 99, 'orphan');"])],
    expect: {
      default: { applied: [3], made: ['made'], error: 'FOREIGN KEY constraint failed' },
      // Not checked.
      dbmate: { applied: [3, 4], made: ['made'], harm: { 'posts orphans': 1 } },
      'sql-migrate': { applied: [3, 4], made: ['made'], harm: { 'posts orphans': 1 } },
      'rusqlite-migration': { error: 'FOREIGN KEY constraint failed' },
    },
  },
  {
    name: 'a transaction in the file',
    pending: [migration(3, 'nested', ['BEGIN;', 'CREATE TABLE made (x);', 'COMMIT;'])],
    expect: {
      default: { error: 'cannot start a transaction within a transaction' },
      d1: { error: 'To execute a transaction, please use the state.storage.transaction()' },
      geni: NO_TRANSACTION,
      prisma: ignored,
    },
  },
  {
    name: 'a file that ends with a COMMIT of its own',
    pending: [migration(3, 'commit', ['CREATE TABLE made (x);', 'COMMIT;']), made(4, 'later')],
    expect: {
      default: { applied: [3], made: ['made'], error: 'cannot commit - no transaction is active' },
      // The row is written apart.
      refinery: { made: ['made'], error: 'cannot commit - no transaction is active' },
      prisma: { made: ['made'], error: 'cannot commit - no transaction is active' },
      // The others run as well, before the last COMMIT fails.
      'rusqlite-migration': { applied: [3, 4], made: ['made', 'later'], error: 'cannot commit - no transaction is active' },
      d1: { error: 'To execute a transaction, please use the state.storage.transaction()' },
      geni: NO_TRANSACTION,
    },
  },
  {
    name: 'a file that commits and begins',
    pending: [migration(3, 'commit', ['CREATE TABLE made (x);', 'COMMIT;', 'BEGIN;'])],
    expect: {
      default: ignored,
      prisma: { made: ['made'], error: 'cannot commit - no transaction is active' },
      d1: { error: 'To execute a transaction, please use the state.storage.transaction()' },
      geni: NO_TRANSACTION,
    },
  },
  {
    name: 'an older file was never applied',
    history: [1, 3],
    pending: [made(2, 'older'), made(4, 'newer')],
    expect: {
      default: { applied: [2, 4], made: ['older', 'newer'] },
      refinery: { refusal: 'migration V2__older is missing from the filesystem' },
      'rusqlite-migration': { skip: 'cannot have a history with a gap' },
    },
  },
  {
    name: 'an applied file was edited',
    edit: { 1: 'SELECT 1;\n' },
    pending: [made(3)],
    expect: {
      default: ignored,
      sqlx: { refusal: 'migration 1 was previously applied but has been modified' },
      refinery: { refusal: 'applied migration V1__users is different than filesystem one V1__users' },
    },
  },
  {
    name: 'an applied file was edited, and nothing is pending',
    edit: { 2: 'SELECT 1;\n' },
    expect: {
      default: {},
      sqlx: { refusal: 'migration 2 was previously applied but has been modified' },
      refinery: { refusal: 'applied migration V2__tags is different than filesystem one V2__tags' },
    },
  },
  {
    name: 'the first applied file is missing',
    remove: [1],
    pending: [made(3)],
    expect: {
      default: ignored,
      sqlx: { refusal: 'migration 1 was previously applied but is missing in the resolved migrations' },
      refinery: { refusal: 'migration V1__users is missing from the filesystem' },
      'rusqlite-migration': consecutive('Migration ids must be consecutive numbers'),
      'sql-migrate': { refusal: 'Unable to create migration plan because of 0001_users.sql: unknown migration in database' },
    },
  },
  {
    name: 'the last applied file is missing, and nothing is pending',
    remove: [2],
    expect: {
      default: {},
      sqlx: { refusal: 'migration 2 was previously applied but is missing in the resolved migrations' },
      refinery: { refusal: 'migration V2__tags is missing from the filesystem' },
      'rusqlite-migration': {
        refusal: 'rusqlite_migration error in migrations definition: Attempt to migrate a database with a migration number that is too high',
      },
      'sql-migrate': { refusal: 'Unable to create migration plan because of 0002_tags.sql: unknown migration in database' },
    },
  },
  {
    name: 'a failed migration is in the ledger',
    dirty: [2],
    pending: [made(3)],
    expect: {
      default: { skip: 'writes nothing of a failed migration' },
      sqlx: { refusal: 'migration 2 is partially applied; fix and remove row from `_sqlx_migrations` table' },
      prisma: {
        refusal: [
          'migrate found failed migrations in the target database, new migrations will not be applied. Read more about how to resolve migration issues in a production database: https://pris.ly/d/migrate-resolve',
          'The `0002_tags` migration started at',
        ],
      },
    },
  },
  {
    name: 'a trigger with semicolons in its body, and rows that fire it',
    pending: [
      migration(3, 'trigger', [
        "CREATE TRIGGER stamp AFTER INSERT ON users\nBEGIN\n  INSERT INTO tags (label) VALUES ('of ' || new.id || ';');\n  UPDATE posts SET title = CASE WHEN title = 'one' THEN 'first' ELSE title END;\nEND;",
        "INSERT INTO users (id, email) VALUES (20, 'c@example.org');",
      ]),
    ],
    expect: { default: { applied: [3], harm: { 'posts.title changed': 1 } } },
  },
  {
    name: 'semicolons, quotes and comments',
    pending: [
      migration(3, 'texts', [
        '/* a; comment */',
        'CREATE TABLE "semi;colon" (x TEXT); -- one; more',
        `INSERT INTO "semi;colon" VALUES ('it''s; here'), ('-- no comment'), ('/* none */');`,
        '-- the last; line',
        'SELECT 1;',
      ]),
    ],
    expect: { default: { applied: [3], made: ['semi;colon'] } },
  },
  {
    name: 'an empty file',
    pending: [migration(3, 'empty', ''), made(4)],
    expect: {
      default: { applied: [3, 4], made: ['made'] },
      diesel: { error: 'Attempted to run an empty migration.' },
    },
  },
  {
    name: 'a file with only a comment',
    pending: [migration(3, 'comment', '-- nothing to do\n'), made(4)],
    expect: { default: { applied: [3, 4], made: ['made'] } },
  },
  {
    name: 'lines that end with CR and LF',
    pending: [migration(3, 'crlf', ['CREATE TABLE made (', '  x', ');', "INSERT INTO made VALUES ('two\nlines');"], { crlf: true })],
    expect: { default: ignored },
  },
  {
    name: 'a byte order mark',
    pending: [made(3, 'made', { bom: true })],
    expect: {
      default: ignored,
      dbmate: { refusal: "dbmate requires each migration to define an up block with '-- migrate:up'" },
      // The first marker is not seen, the second is: nothing to do.
      'sql-migrate': { applied: [3] },
    },
  },
  {
    name: 'a last statement without a semicolon',
    pending: [migration(3, 'open', 'CREATE TABLE made (x)\n')],
    expect: {
      default: ignored,
      // The INSERT into its ledger is appended to the text.
      d1: { error: 'near "INSERT": syntax error' },
      'sql-migrate': { refusal: "ERROR: The last statement must be ended by a semicolon or '-- +migrate StatementEnd' marker." },
    },
  },
  {
    name: 'two pending files with the same number',
    pending: [migration(3, 'same', 'CREATE TABLE IF NOT EXISTS same (x);\nINSERT INTO same VALUES (1);\n', { twin: true })],
    expect: {
      // By name, they are two.
      default: { applied: [3, 3], made: ['same'] },
      sqlx: { applied: [3], made: ['same'], error: 'UNIQUE constraint failed: _sqlx_migrations.version' },
      dbmate: { applied: [3], made: ['same'], error: 'UNIQUE constraint failed: schema_migrations.version' },
      diesel: { applied: [3], made: ['same'] },
      geni: { applied: [3], made: ['same'], error: 'UNIQUE constraint failed: schema_migrations.id' },
      refinery: { refusal: 'migration V3__same is repeated, migration versions must be unique' },
      'rusqlite-migration': consecutive('Multiple migrations detected for migration id: 3'),
    },
  },
  {
    name: 'more than nine files',
    pending: [3, 4, 5, 6, 7, 8, 9, 10, 11].map((version) => made(version, `made${version}`)),
    expect: { default: { applied: [3, 4, 5, 6, 7, 8, 9, 10, 11], made: [3, 4, 5, 6, 7, 8, 9, 10, 11].map((version) => `made${version}`) } },
  },
  {
    name: 'a ledger with another name',
    table: 'own_ledger',
    pending: [made(3)],
    expect: {
      default: ignored,
      'sqlx 0.8': { skip: 'has no such option' },
      prisma: { skip: 'has no such option' },
      diesel: { skip: 'has no such option' },
      'rusqlite-migration': { skip: 'has no table' },
    },
  },
  {
    name: 'user_version in a file',
    pending: [migration(3, 'version', 'PRAGMA user_version = 42;\nCREATE TABLE made (x);\n')],
    expect: {
      default: ignored,
      d1: { error: 'not authorized' },
    },
  },
  {
    name: 'VACUUM in a file',
    pending: [migration(3, 'vacuum', 'VACUUM;\nCREATE TABLE made (x);\n')],
    expect: { default: { error: 'cannot VACUUM from within a transaction' }, prisma: ignored },
  },
  {
    name: 'the journal mode in a file',
    pending: [migration(3, 'wal', 'PRAGMA journal_mode=WAL;\nCREATE TABLE made (x);\n')],
    expect: { default: { error: 'cannot change into wal mode from within a transaction' }, prisma: ignored, d1: { error: 'not authorized' } },
  },
  {
    name: 'a savepoint in a file',
    pending: [migration(3, 'savepoint', ['SAVEPOINT one;', 'CREATE TABLE made (x);', 'RELEASE one;'])],
    expect: { default: ignored, d1: { error: 'To execute a transaction, please use the state.storage.transaction()' } },
  },
  {
    name: 'double-quoted strings',
    pending: [migration(3, 'quotes', ['CREATE TABLE made (x DEFAULT "a");', 'INSERT INTO made VALUES ("b");'])],
    expect: { default: ignored, prisma: NOT_ITS_SQLITE },
  },
  {
    name: 'full text search',
    pending: [migration(3, 'fts', ['CREATE VIRTUAL TABLE made USING fts5 (x);', "INSERT INTO made VALUES ('a text');"])],
    expect: { default: ignored },
  },
  {
    name: 'a mathematical function',
    pending: [migration(3, 'sqrt', 'CREATE TABLE made AS SELECT sqrt(4) AS x;\n')],
    expect: {
      default: { error: 'no such function: sqrt' },
      d1: ignored,
      // Debian's SQLite.
      'sql-migrate': ignored,
      prisma: NOT_ITS_SQLITE,
    },
  },
  {
    name: 'ANALYZE',
    pending: [migration(3, 'analyze', ['CREATE INDEX posts_by_user ON posts (user_id);', 'ANALYZE posts;', 'CREATE TABLE made AS SELECT tbl, idx FROM sqlite_stat1;'])],
    expect: { default: ignored },
  },
  {
    name: 'DELETE with LIMIT',
    pending: [migration(3, 'limit', ['CREATE TABLE made (x);', 'DELETE FROM comments ORDER BY id LIMIT 1;'])],
    expect: {
      default: { error: 'near "ORDER": syntax error' },
      d1: { ...ignored, harm: { 'comments rows': 1 }, notRehearsed: NO_LIMIT },
      'sql-migrate': { ...ignored, harm: { 'comments rows': 1 }, notRehearsed: NO_LIMIT },
      prisma: NOT_ITS_SQLITE,
    },
  },
  {
    name: 'a percentile',
    pending: [migration(3, 'percentile', 'CREATE TABLE made AS SELECT percentile(id, 50) AS x FROM users;\n')],
    expect: {
      default: { error: 'no such function: percentile' },
      prisma: NOT_ITS_SQLITE,
    },
  },
  {
    name: 'soundex',
    pending: [migration(3, 'soundex', 'CREATE TABLE made AS SELECT soundex(\'x\') AS x;\n')],
    expect: {
      default: ignored,
      d1: { error: 'no such function: soundex' },
      dbmate: { error: 'no such function: soundex' },
    },
  },
  {
    name: 'an R-tree',
    pending: [migration(3, 'rtree', ['CREATE VIRTUAL TABLE made USING rtree (id, a, b);', 'INSERT INTO made VALUES (1, 2, 3);'])],
    expect: { default: ignored, d1: { error: 'not authorized' } },
  },
  {
    name: 'json',
    pending: [migration(3, 'json', "CREATE TABLE made AS SELECT json_extract('{\"a\":[1,2]}', '$.a[1]') AS x, '{}' ->> '$' AS y;\n")],
    expect: { default: ignored },
  },
  {
    name: 'a trigger that fires itself, and REPLACE over a row with a trigger on its deletion',
    pending: [
      migration(3, 'recursive', [
        'CREATE TABLE made (x INTEGER PRIMARY KEY, y);',
        'CREATE TRIGGER again AFTER INSERT ON made WHEN new.x < 3 BEGIN INSERT INTO made VALUES (new.x + 1, 0); END;',
        'CREATE TRIGGER gone AFTER DELETE ON made BEGIN INSERT INTO tags (label) VALUES (old.x); END;',
        'INSERT INTO made VALUES (1, 0);',
        'REPLACE INTO made VALUES (1, 1);',
      ]),
    ],
    expect: { default: ignored },
  },
  {
    name: 'generated columns, STRICT, WITHOUT ROWID, RETURNING',
    pending: [
      migration(3, 'modern', [
        'CREATE TABLE made (a INTEGER PRIMARY KEY, b INTEGER GENERATED ALWAYS AS (a * 2) STORED) STRICT;',
        'CREATE TABLE keyed (a TEXT, b INTEGER, PRIMARY KEY (b DESC, a)) WITHOUT ROWID;',
        'INSERT INTO made (a) VALUES (1), (2) RETURNING b;',
        "INSERT INTO keyed VALUES ('x', 1), ('y', 2);",
        'ALTER TABLE users RENAME COLUMN email TO mail;',
        'ALTER TABLE posts DROP COLUMN title;',
      ]),
    ],
    expect: { default: { applied: [3], made: ['users', 'posts', 'made', 'keyed'], harm: { 'users.email dropped': 2, 'posts.title dropped': 4 } } },
  },
  {
    name: 'a database in which there is nothing',
    history: [],
    pending: [made(1)],
    expect: { default: { applied: [1], made: ['made'] } },
  },
  {
    name: 'a database with tables and without a ledger',
    history: [],
    prepare: "CREATE TABLE theirs (id INTEGER PRIMARY KEY, x); INSERT INTO theirs (x) VALUES ('y');",
    pending: [made(1)],
    expect: {
      default: { applied: [1], made: ['made'] },
      prisma: { refusal: 'The database schema is not empty. Read more about how to baseline an existing production database: https://pris.ly/d/migrate-baseline' },
    },
  },
];
