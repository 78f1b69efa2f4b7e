module.exports = {
  client: process.env.KNEX_CLIENT ?? 'better-sqlite3',
  connection: { filename: process.env.DATABASE_PATH ?? './dev.db' },
  useNullAsDefault: true,
};
