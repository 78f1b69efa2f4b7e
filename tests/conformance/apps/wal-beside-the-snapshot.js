import cascade from './cascade-children.js';

export default {
  ...cascade,
  name: 'rows that are only in the WAL beside the snapshot are production data too',
  layouts: ['v0'],
  wal: true,
  seed: `PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; ${cascade.seed}`,
};
