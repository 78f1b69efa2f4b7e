// Writes down every statement that a SQLite library runs on the copy, one JSON object a line. Loaded by Node.js before the command's
// own code; whatever goes wrong here must not reach that code.
'use strict';
const fs = require('node:fs');
const Module = require('node:module');

const file = process.env.REHEARSE_TRACE;
const copy = process.env.REHEARSE_TRACE_DATABASE;

const write = (line) => {
  try {
    fs.appendFileSync(file, `${JSON.stringify(line)}\n`);
  } catch {}
};

const isCopy = (name) => {
  try {
    const path = name instanceof URL || String(name).startsWith('file:') ? require('node:url').fileURLToPath(new URL(name)) : String(name);
    return fs.realpathSync(path) === fs.realpathSync(copy);
  } catch {
    return false;
  }
};

const statement = (sql) => write({ sql: String(sql) });
const foreignKeys = (value) => Number(value) === 1;

// better-sqlite3 tells each statement, with the values of its parameters, to `verbose`.
const betterSqlite3 = (Database) =>
  new Proxy(Database, {
    construct(target, [name, options, ...rest], newTarget) {
      if (!isCopy(name)) return Reflect.construct(target, [name, options, ...rest], newTarget);
      const own = options?.verbose;
      let silent = true;
      const verbose = (sql, ...more) => {
        if (!silent) statement(sql);
        if (!silent && own) own(sql, ...more);
      };
      const database = Reflect.construct(target, [name, { ...options, verbose }, ...rest], newTarget);
      write({ library: 'better-sqlite3', foreign_keys: foreignKeys(database.pragma('foreign_keys', { simple: true })) });
      silent = false;
      return database;
    },
  });

// sqlite3 tells them to a listener of `trace`.
const sqlite3 = (library) => {
  const wrap = (Database) =>
    new Proxy(Database, {
      construct(target, [name, ...rest], newTarget) {
        const database = Reflect.construct(target, [name, ...rest], newTarget);
        if (isCopy(name)) {
          // Its own default: it has no way to ask without waiting.
          write({ library: 'sqlite3', foreign_keys: false });
          database.on('trace', statement);
        }
        return database;
      },
    });
  library.Database = wrap(library.Database);
  return library;
};

// node:sqlite tells nothing: its methods are wrapped. Statements with parameters are expanded by itself.
const nodeSqlite = (library) => {
  const traced = new WeakSet();
  class DatabaseSync extends library.DatabaseSync {
    constructor(name, options) {
      super(name, options);
      if (isCopy(name)) {
        const [row] = super.prepare('PRAGMA foreign_keys').all();
        write({ library: 'node:sqlite', foreign_keys: foreignKeys(row.foreign_keys) });
        traced.add(this);
      }
    }

    exec(sql) {
      if (traced.has(this)) statement(sql);
      return super.exec(sql);
    }

    prepare(sql) {
      const prepared = super.prepare(sql);
      if (!traced.has(this)) return prepared;
      for (const method of ['run', 'all', 'get', 'iterate']) {
        const original = prepared[method].bind(prepared);
        prepared[method] = (...values) => {
          const result = original(...values);
          statement(prepared.expandedSQL);
          return result;
        };
      }
      return prepared;
    }
  }
  return { ...library, DatabaseSync };
};

const wrapped = new Map();
const once = (key, make) => {
  if (!wrapped.has(key)) wrapped.set(key, make(key));
  return wrapped.get(key);
};

const load = Module._load;
Module._load = function (request, parent, isMain) {
  const loaded = load.call(this, request, parent, isMain);
  try {
    if (/(^|[\\/])better-sqlite3([\\/]lib[\\/]index\.js)?$/.test(request) && typeof loaded === 'function') {
      return once(loaded, betterSqlite3);
    }
    if (/(^|[\\/])sqlite3([\\/]lib[\\/]sqlite3(\.js)?)?$/.test(request) && loaded?.Database && loaded?.Statement) {
      return once(loaded, sqlite3);
    }
    if (request === 'node:sqlite' && loaded?.DatabaseSync) {
      return once(loaded, nodeSqlite);
    }
  } catch {}
  return loaded;
};
