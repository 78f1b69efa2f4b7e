const { Migration } = require('@mikro-orm/migrations');

exports.Migration20240101000002 = class extends Migration {
  async up() {
    this.addSql('alter table users add column city text null;');
  }
};
