import rebuild from './childless-rebuild.js';

export default {
  ...rebuild,
  name: 'a snapshot in WAL mode without a WAL beside it',
  layouts: ['v0'],
  seed: `${rebuild.seed} PRAGMA journal_mode = WAL;`,
};
