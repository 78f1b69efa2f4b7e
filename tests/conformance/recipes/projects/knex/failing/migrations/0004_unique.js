exports.up = async (knex) => {
  await knex.schema.createTable('half', (table) => table.increments('id'));
  await knex.schema.alterTable('posts', (table) => table.unique(['user_id']));
};
exports.down = async () => {};
