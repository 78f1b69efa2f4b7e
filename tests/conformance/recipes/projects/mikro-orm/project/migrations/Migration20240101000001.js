const { Migration } = require('@mikro-orm/migrations');

exports.Migration20240101000001 = class extends Migration {
  async up() {
    this.addSql('create table users (id integer not null primary key autoincrement, email text null);');
    this.addSql('create table posts (id integer not null primary key autoincrement, user_id integer not null, title text null, constraint posts_user_id_foreign foreign key(user_id) references users(id) on delete cascade on update cascade);');
  }
};
