import cascade from './cascade-children.js';

export default {
  ...cascade,
  name: 'the rebuilt parent keeps its children when the application turns foreign keys off first',
  drivers: ['better-sqlite3'],
  foreignKeys: 'off',
  real: {},
};
