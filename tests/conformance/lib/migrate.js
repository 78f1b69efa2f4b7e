// Runs the real migrate() on a database file and prints what came of it as JSON.
// usage: migrate.js LAYOUT DRIVER DATABASE FOLDER [FOREIGN_KEYS]
import { requireFor } from './versions.js';

const [layout, driver, database, migrationsFolder, foreignKeys] = process.argv.slice(2);
const require = requireFor(layout);
const { drizzle } = require(`drizzle-orm/${driver}`);
const { migrate } = require(`drizzle-orm/${driver}/migrator`);

const open = {
  'better-sqlite3': () => {
    const Database = require('better-sqlite3');
    const client = new Database(database);
    if (foreignKeys) client.pragma(`foreign_keys = ${foreignKeys}`);
    return client;
  },
  libsql: () => require('@libsql/client').createClient({ url: `file:${database}` }),
};

const client = open[driver]();
const outcome = { error: null };
try {
  const db = layout === 'v0' ? drizzle(client) : drizzle({ client });
  await migrate(db, { migrationsFolder });
} catch (error) {
  const cause = deepest(error);
  outcome.error = { message: cause.message, code: cause.extendedCode ?? cause.code ?? null, raw: cause.rawCode ?? null };
}
client.close();
console.log(JSON.stringify(outcome));

function deepest(error) {
  return error.cause ? deepest(error.cause) : error;
}
