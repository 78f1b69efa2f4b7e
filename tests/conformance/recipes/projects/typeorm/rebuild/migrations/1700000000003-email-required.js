// As `typeorm migration:generate` writes it.
exports.EmailRequired1700000000003 = class {
  name = 'EmailRequired1700000000003';

  async up(runner) {
    await runner.query('CREATE TABLE "temporary_users" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "email" varchar NOT NULL)');
    await runner.query('INSERT INTO "temporary_users"("id", "email") SELECT "id", "email" FROM "users"');
    await runner.query('DROP TABLE "users"');
    await runner.query('ALTER TABLE "temporary_users" RENAME TO "users"');
  }

  async down() {}
};
