// A small project of goose: a dump as its snapshot, and a folder of migrations.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const MIGRATIONS = {
  passes: '-- +goose Up\nALTER TABLE posts ADD COLUMN note TEXT;\n',
  loses: '-- +goose Up\nDROP TABLE posts;\n',
  fails: '-- +goose Up\nALTER TABLE nowhere ADD COLUMN note TEXT;\n',
};

export const DUMP = `BEGIN TRANSACTION;
CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT);
INSERT INTO posts VALUES (1, 'a secret title'), (2, 'another'), (3, 'a third');
CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL, is_applied INTEGER NOT NULL,
  tstamp TIMESTAMP DEFAULT (datetime('now')));
INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1);
COMMIT;
`;

export function write(folder, files) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

export function project(migration, { name = '1_change.sql', below = '.' } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'project-'));
  return write(folder, {
    [join(below, 'prod.sql')]: DUMP,
    [join(below, 'migrations', name)]: MIGRATIONS[migration] ?? migration,
  });
}
