import Database from 'better-sqlite3';
import { SqliteDialect } from 'kysely';
import { defineConfig } from 'kysely-ctl';

export default defineConfig({
  dialect: new SqliteDialect({ database: new Database(process.env.DATABASE_PATH ?? 'dev.db') }),
  migrations: { migrationFolder: 'migrations' },
});
