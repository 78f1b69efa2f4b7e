// The real migrate() of drizzle-orm.
import { requireFor } from './versions.js';

/** Runs it on a database file and returns `{ error }`; an error is `{ message, code, raw }` of its deepest cause. */
export async function migrate({ layout, driver, database, migrations, foreignKeys }) {
  const require = requireFor(layout);
  const { drizzle } = require(`drizzle-orm/${driver}`);
  const migrator = require(`drizzle-orm/${driver}/migrator`);
  const client = open(require, driver, database);
  if (foreignKeys) client.pragma(`foreign_keys = ${foreignKeys}`);
  try {
    const db = layout === 'v0' ? drizzle(client) : drizzle({ client });
    await migrator.migrate(db, { migrationsFolder: migrations });
    return { error: null };
  } catch (error) {
    const { message, code, extendedCode, rawCode } = deepest(error);
    return { error: { message, code: extendedCode ?? code ?? null, raw: rawCode ?? null } };
  } finally {
    client.close();
  }
}

function open(require, driver, database) {
  if (driver === 'libsql') return require('@libsql/client').createClient({ url: `file:${database}` });
  const Database = require('better-sqlite3');
  return new Database(database);
}

function deepest(error) {
  return error.cause ? deepest(error.cause) : error;
}
