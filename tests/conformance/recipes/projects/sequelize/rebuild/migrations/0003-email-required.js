module.exports = {
  up: (queryInterface, Sequelize) => queryInterface.changeColumn('users', 'email', { type: Sequelize.STRING, allowNull: false }),
  async down() {},
};
