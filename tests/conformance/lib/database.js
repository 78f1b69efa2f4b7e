// Reads a database exactly: every value with its storage class and bytes.
import Database from 'better-sqlite3';

/**
 * A ledger is `{ table, foldSpace, volatile, internal }`: its table; whether its definition may be indented differently; its
 * columns that are never the same twice, each with what is left of a text that must be; what the tool's own tables are named like.
 */
const DRIZZLE = {
  table: '__drizzle_migrations',
  // The drivers indent the definition differently; nothing else about it differs.
  foldSpace: true,
  // The time at which a v1 migration was applied is never the same twice.
  volatile: { applied_at: time },
};

/** What must be the same of a time: how it is written. */
export function time(text) {
  return text.replace(/\d+/g, '0');
}

/** What must be the same of a random id: how it is written. */
export function uuid(text) {
  return text.replace(/[0-9a-f]/g, '0');
}

/** What must be the same of a duration or a log: its storage class. */
export function anything() {
  return '';
}

/** Everything that the two databases must have in common, as comparable values. */
export function contents(file, ledger = DRIZZLE) {
  return reading(file, (db) => {
    const tables = {};
    for (const { name } of db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all()) {
      if (!isInternal(ledger, name)) tables[name] = rowsOf(db, name, ledger);
    }
    const schema = db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid').all();
    return {
      schema: schema.filter(({ tbl_name: table }) => !isInternal(ledger, table)).map((object) => foldLedger(object, ledger)),
      user_version: db.pragma('user_version', { simple: true }),
      application_id: db.pragma('application_id', { simple: true }),
      encoding: db.pragma('encoding', { simple: true }),
      tables,
    };
  });
}

function foldLedger(object, ledger) {
  return ledger.foldSpace && object.name === ledger.table ? { ...object, sql: object.sql.replace(/\s+/g, ' ') } : object;
}

function isInternal(ledger, table) {
  return ledger.internal?.test(table) ?? false;
}

/** The differences between two `contents`, one line each. */
export function differences(real, rehearsed) {
  const found = [];
  for (const fact of ['user_version', 'application_id', 'encoding']) {
    if (real[fact] !== rehearsed[fact]) found.push(`${fact}: really ${real[fact]}, rehearsed ${rehearsed[fact]}`);
  }
  compareLists('sqlite_schema', real.schema, rehearsed.schema, found);
  for (const table of new Set([...Object.keys(real.tables), ...Object.keys(rehearsed.tables)])) {
    compareLists(table, real.tables[table] ?? [], rehearsed.tables[table] ?? [], found);
  }
  return found;
}

/**
 * What became of the data: a map from a fact to a number. Rows are followed by rowid, or by primary key where there is none.
 *   `T rows` rows gone · `T.c nulled`, `T.c changed` values of surviving rows · `T.c dropped` values of a column that is gone ·
 *   `T orphans` rows that now refer to nothing · `trigger X`, `index X`, `view X` objects gone
 * `renamed` tells the new names: `{ users: 'people', 'users.email': 'mail' }`.
 */
export function harm(before, after, renamed = {}, ledger = DRIZZLE) {
  return reading(before, (old) => reading(after, (now) => {
    const facts = {};
    const count = (fact, number = 1) => {
      if (number > 0) facts[fact] = (facts[fact] ?? 0) + number;
    };
    for (const { name } of userTables(old, ledger)) {
      const key = keyOf(old, name);
      const rows = keyed(old, name, key);
      const newName = renamed[name] ?? name;
      const survivors = userTables(now, ledger).some((table) => table.name === newName) ? keyed(now, newName, key) : new Map();
      const columns = new Set(survivors.size ? columnsOf(now, newName).map((column) => column.name) : []);
      for (const [key, row] of rows) {
        const survivor = survivors.get(key);
        if (!survivor) {
          count(`${name} rows`);
          continue;
        }
        for (const [column, value] of Object.entries(row)) {
          if (value === 'null:NULL') continue;
          const newColumn = renamed[`${name}.${column}`] ?? column;
          if (!columns.has(newColumn)) count(`${name}.${column} dropped`);
          else if (survivor[newColumn] === 'null:NULL') count(`${name}.${column} nulled`);
          else if (survivor[newColumn] !== value) count(`${name}.${column} changed`);
        }
      }
      if (survivors.size) count(`${name} orphans`, orphans(now, newName) - orphans(old, name));
    }
    const objects = (db) => db.prepare(`SELECT type || ' ' || name AS object FROM sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL`).all();
    const left = new Set(objects(now).map(({ object }) => object));
    for (const { object } of objects(old)) if (!left.has(object)) count(object);
    return facts;
  }));
}

/** The rows that a query gives. */
export function query(file, sql) {
  return reading(file, (db) => db.prepare(sql).all());
}

/** Runs SQL on a database file; with `keepOpen` the connection is given back unclosed. */
export function execute(file, sql, { keepOpen = false } = {}) {
  const db = new Database(file);
  db.exec(sql);
  if (keepOpen) return db;
  db.close();
}

function reading(file, read) {
  const db = new Database(file, { readonly: true });
  try {
    return read(db);
  } finally {
    db.close();
  }
}

function userTables(db, ledger) {
  const tables = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`).all();
  return tables.filter(({ name }) => name !== ledger.table && !isInternal(ledger, name));
}

function columnsOf(db, table) {
  return db.prepare(`SELECT name, pk FROM pragma_table_xinfo(?)`).all(table);
}

function withoutRowid(db, table) {
  return db.prepare(`SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?`).pluck().get(table) === 1;
}

/** Every row in stored order, its rowid first, every value as `storage class:bytes`. */
function rowsOf(db, table, ledger) {
  const rowid = withoutRowid(db, table) ? [] : ['quote(rowid)'];
  const volatile = table === ledger.table ? ledger.volatile : {};
  const values = columnsOf(db, table).map(({ name }) => (volatile[name] ? shape(name) : exact(name)));
  for (const [column, kept] of Object.entries(volatile)) {
    db.function(`shape of ${column}`, (value) => (typeof value === 'string' ? kept(value) : ''));
  }
  return db.prepare(`SELECT ${[...rowid, ...values].join(', ')} FROM ${quoted(table)}${rowid.length ? ' ORDER BY rowid' : ''}`)
    .raw().all().map((row) => row.join(' | '));
}

/** What identifies a row of this table: SQL expressions. */
function keyOf(db, table) {
  if (!withoutRowid(db, table)) return ['CAST(rowid AS TEXT)'];
  return columnsOf(db, table).filter(({ pk }) => pk).map(({ name }) => exact(name));
}

/** Rows by key: a map from the key to an object of exact values. */
function keyed(db, table, key) {
  const values = columnsOf(db, table).map(({ name }) => `${exact(name)} AS ${quoted(name)}`);
  const select = `SELECT ${key.join(` || ' ' || `)} AS "the key", ${values.join(', ')} FROM ${quoted(table)}`;
  return new Map(db.prepare(select).all().map(({ 'the key': name, ...row }) => [name, row]));
}

function shape(column) {
  return `typeof(${quoted(column)}) || ':' || ${quoted(`shape of ${column}`)}(${quoted(column)})`;
}

function exact(column) {
  const name = quoted(column);
  return `typeof(${name}) || ':' || CASE typeof(${name}) WHEN 'text' THEN hex(CAST(${name} AS BLOB)) ELSE quote(${name}) END`;
}

function orphans(db, table) {
  return db.pragma(`foreign_key_check(${quoted(table)})`).length;
}

function quoted(name) {
  return `"${name.replaceAll('"', '""')}"`;
}

function compareLists(name, real, rehearsed, found) {
  const lines = (list) => list.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
  const [left, right] = [lines(real), lines(rehearsed)];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    if (left[at] === right[at]) continue;
    found.push(`${name}, ${left.length} really and ${right.length} rehearsed, first differ at ${at + 1}: really ${left[at] ?? 'nothing'}, rehearsed ${right[at] ?? 'nothing'}`);
    return;
  }
}
