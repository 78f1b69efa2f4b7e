exports.up = (knex) => knex.schema.alterTable('users', (table) => table.string('email').notNullable().alter());
exports.down = async () => {};
