import rebuild from './childless-rebuild.js';

export default {
  ...rebuild,
  name: 'a database in UTF-16 with small pages and auto_vacuum',
  layouts: ['v0'],
  prepare: `PRAGMA encoding = 'UTF-16le'; PRAGMA page_size = 1024; PRAGMA auto_vacuum = FULL; CREATE TABLE first (a); DROP TABLE first;`,
  seed: `${rebuild.seed} INSERT INTO people VALUES (9, 'Zo' || char(235) || char(128169), printf('%.5000c', 'x'));`,
};
