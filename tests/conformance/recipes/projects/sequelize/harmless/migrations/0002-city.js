module.exports = {
  up: (queryInterface, Sequelize) => queryInterface.addColumn('users', 'city', { type: Sequelize.STRING }),
  async down() {},
};
