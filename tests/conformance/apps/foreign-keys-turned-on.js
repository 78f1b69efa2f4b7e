import cascade from './cascade-children.js';

export default {
  ...cascade,
  name: 'saying that foreign keys are on changes nothing for better-sqlite3',
  layouts: ['v0'],
  drivers: ['better-sqlite3'],
  foreignKeys: 'on',
};
