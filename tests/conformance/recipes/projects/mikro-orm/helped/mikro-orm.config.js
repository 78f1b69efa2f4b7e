const { EntitySchema } = require('@mikro-orm/core');
const { BetterSqliteDriver } = require('@mikro-orm/better-sqlite');
const { Migrator } = require('@mikro-orm/migrations');

const User = new EntitySchema({ name: 'User', tableName: 'users', properties: { id: { type: 'number', primary: true } } });

module.exports = {
  driver: BetterSqliteDriver,
  dbName: 'dev.db',
  entities: [User],
  extensions: [Migrator],
  migrations: { path: 'migrations', snapshot: false, disableForeignKeys: true, transactional: false, allOrNothing: false },
};
