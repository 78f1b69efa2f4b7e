import { PrismaBetterSQLite3 } from '@prisma/adapter-better-sqlite3';

export default {
  engine: 'js',
  experimental: { adapter: true },
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  adapter: async () => new PrismaBetterSQLite3({ url: process.env.DATABASE_URL }),
};
