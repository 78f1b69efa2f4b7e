export default {
  dialect: 'sqlite',
  schema: './schema.ts',
  out: './drizzle',
  dbCredentials: { url: process.env.DATABASE_URL ?? 'file:app.db' },
};
