const { Migration } = require('@mikro-orm/migrations');

exports.Migration20240101000003 = class extends Migration {
  async up() {
    this.addSql('create table users__temp_alter (id integer not null primary key autoincrement, email text not null);');
    this.addSql('insert into users__temp_alter select id, email from users;');
    this.addSql('drop table users;');
    this.addSql('alter table users__temp_alter rename to users;');
  }
};
