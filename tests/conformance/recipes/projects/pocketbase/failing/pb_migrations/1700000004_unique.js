migrate((app) => {
  app.db().newQuery('CREATE TABLE half (id INTEGER PRIMARY KEY)').execute();
  app.db().newQuery('CREATE UNIQUE INDEX one_post ON posts (user_id)').execute();
}, () => {});
