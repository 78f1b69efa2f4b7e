module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.sequelize.query('PRAGMA foreign_keys = OFF');
    await queryInterface.changeColumn('users', 'email', { type: Sequelize.STRING, allowNull: false });
    await queryInterface.sequelize.query('PRAGMA foreign_keys = ON');
  },
  async down() {},
};
