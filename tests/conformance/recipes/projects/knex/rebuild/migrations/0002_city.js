exports.up = (knex) => knex.schema.alterTable('users', (table) => table.string('city'));
exports.down = async () => {};
