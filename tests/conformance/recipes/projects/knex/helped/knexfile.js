module.exports = {
  client: 'better-sqlite3',
  connection: { filename: process.env.DATABASE_PATH ?? './dev.db' },
  useNullAsDefault: true,
  pool: {
    afterCreate: (connection, done) => {
      connection.pragma('foreign_keys = OFF');
      done(null, connection);
    },
  },
};
