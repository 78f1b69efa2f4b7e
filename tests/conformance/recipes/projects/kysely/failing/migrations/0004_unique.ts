import type { Kysely } from 'kysely';

export async function up(db: Kysely<any>): Promise<void> {
  await db.schema.createTable('half').addColumn('id', 'integer', (column) => column.primaryKey()).execute();
  await db.schema.createIndex('one_post').unique().on('posts').column('user_id').execute();
}
