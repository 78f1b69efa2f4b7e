const { DataSource } = require('typeorm');

module.exports = new DataSource({
  type: 'better-sqlite3',
  database: process.env.DATABASE_PATH ?? 'dev.db',
  migrations: ['migrations/*.js'],
});
