exports.Unique1700000000004 = class {
  name = 'Unique1700000000004';

  async up(runner) {
    await runner.query('CREATE TABLE "half" ("id" integer PRIMARY KEY)');
    await runner.query('CREATE UNIQUE INDEX "one_post" ON "posts" ("user_id")');
  }

  async down() {}
};
