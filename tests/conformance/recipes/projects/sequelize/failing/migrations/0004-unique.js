module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable('half', { id: { type: Sequelize.INTEGER, primaryKey: true } });
    await queryInterface.addIndex('posts', ['user_id'], { unique: true, name: 'one_post' });
  },
  async down() {},
};
