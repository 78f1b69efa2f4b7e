exports.City1700000000002 = class {
  name = 'City1700000000002';

  async up(runner) {
    await runner.query('ALTER TABLE "users" ADD "city" varchar');
  }

  async down() {}
};
