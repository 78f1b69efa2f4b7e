const { Migration } = require('@mikro-orm/migrations');

exports.Migration20240101000004 = class extends Migration {
  async up() {
    this.addSql('create table half (id integer not null primary key);');
    this.addSql('create unique index one_post on posts (user_id);');
  }
};
