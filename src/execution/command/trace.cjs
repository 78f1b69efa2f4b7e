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

// libsql has the methods of better-sqlite3 and tells nothing: values are put in the place of their parameters here.
const libsql = (Database) =>
  new Proxy(Database, {
    construct(target, [name, ...rest], newTarget) {
      const database = Reflect.construct(target, [name, ...rest], newTarget);
      if (!isCopy(name)) return database;
      const [prepare, exec] = [database.prepare.bind(database), database.exec.bind(database)];
      write({ library: 'libsql', foreign_keys: foreignKeys(Object.values(prepare('PRAGMA foreign_keys').get())[0]) });
      database.exec = (sql) => {
        statement(sql);
        return exec(sql);
      };
      database.prepare = (sql) => {
        const prepared = prepare(sql);
        for (const method of ['run', 'all', 'get', 'iterate']) {
          const original = prepared[method].bind(prepared);
          prepared[method] = (...values) => {
            statement(filled(String(sql), values.length === 1 && Array.isArray(values[0]) ? values[0] : values));
            return original(...values);
          };
        }
        return prepared;
      };
      return database;
    },
  });

const filled = (sql, values) => {
  let next = 0;
  const named = values.length === 1 && typeof values[0] === 'object' && values[0] !== null && !ArrayBuffer.isView(values[0]);
  if (named && Object.keys(values[0]).length > 0) return sql;
  return sql.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|\?/g, (part) => (part === '?' && next < values.length ? literal(values[next++]) : part));
};

const literal = (value) => {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (ArrayBuffer.isView(value)) return `x'${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}'`;
  return `'${String(value).replaceAll("'", "''")}'`;
};

// A package is wrapped when its file says what it exports: before anybody is given it, by `require` or by `import`, and whoever else
// has replaced how files are run.
const PACKAGES = [
  [/[\\/]better-sqlite3[\\/]lib[\\/]index\.js$/, (exports) => typeof exports === 'function' && betterSqlite3(exports)],
  [/[\\/]sqlite3[\\/]lib[\\/]sqlite3\.js$/, (exports) => exports?.Database && exports.Statement && sqlite3(exports)],
  [/[\\/]libsql[\\/]index\.js$/, (exports) => typeof exports === 'function' && libsql(exports)],
];

const run = Module.prototype.load;
Module.prototype.load = function (filename) {
  const [, wrap] = PACKAGES.find(([file]) => file.test(filename)) ?? [];
  if (wrap) {
    let { exports } = this;
    Object.defineProperty(this, 'exports', {
      configurable: true,
      enumerable: true,
      get: () => exports,
      set: (value) => {
        exports = value;
        try {
          exports = wrap(value) || value;
        } catch {}
      },
    });
  }
  return run.call(this, filename);
};

let wrappedNodeSqlite;
const load = Module._load;
Module._load = function (request, parent, isMain) {
  const loaded = load.call(this, request, parent, isMain);
  try {
    if (request === 'node:sqlite' && loaded?.DatabaseSync) return (wrappedNodeSqlite ??= nodeSqlite(loaded));
  } catch {}
  return loaded;
};
