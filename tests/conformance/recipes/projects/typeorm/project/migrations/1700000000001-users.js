exports.Users1700000000001 = class {
  name = 'Users1700000000001';

  async up(runner) {
    await runner.query('CREATE TABLE "users" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "email" varchar)');
    await runner.query(
      'CREATE TABLE "posts" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "user_id" integer NOT NULL, "title" varchar, ' +
        'FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE)',
    );
  }

  async down() {}
};
