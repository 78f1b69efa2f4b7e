migrate((app) => {
  app.db().newQuery('CREATE TABLE members_new (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL)').execute();
  app.db().newQuery('INSERT INTO members_new SELECT id, email FROM members').execute();
  app.db().newQuery('DROP TABLE members').execute();
  app.db().newQuery('ALTER TABLE members_new RENAME TO members').execute();
}, () => {});
