import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<any>): Promise<void> {
  await sql`PRAGMA foreign_keys = OFF`.execute(db);
  await db.schema
    .createTable('users_new')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('email', 'text', (column) => column.notNull())
    .execute();
  await sql`INSERT INTO users_new SELECT id, email FROM users`.execute(db);
  await db.schema.dropTable('users').execute();
  await db.schema.alterTable('users_new').renameTo('users').execute();
  await sql`PRAGMA foreign_keys = ON`.execute(db);
}
