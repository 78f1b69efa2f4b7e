migrate((app) => {
  app.db().newQuery('CREATE TABLE members (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT)').execute();
  app.db().newQuery('CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES members (id) ON DELETE CASCADE, title TEXT)').execute();
}, () => {});
