import cascade from './cascade-children.js';

export default {
  ...cascade,
  name: 'twenty thousand rows',
  layouts: ['v0'],
  seed: `
    WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    INSERT INTO users SELECT i, 'user' || i || '@example.org' FROM n;
    INSERT INTO posts SELECT id, 1 + id % 100, NULL FROM users;`,
  real: { 'better-sqlite3': { harm: { 'posts rows': 20000 } } },
};
