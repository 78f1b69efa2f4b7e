migrate((app) => {
  app.db().newQuery('ALTER TABLE members ADD city TEXT').execute();
}, () => {});
