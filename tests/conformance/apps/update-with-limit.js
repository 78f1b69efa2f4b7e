const schema = `export const jobs = sqliteTable('jobs', { id: integer('id').primaryKey(), state: text('state') });`;

export default {
  name: 'UPDATE … ORDER BY … LIMIT: better-sqlite3 knows it, libsql does not',
  history: [schema],
  seed: `INSERT INTO jobs VALUES (1, 'old'), (2, 'old'), (3, 'old');`,
  pending: [{ custom: `UPDATE jobs SET state = 'new' ORDER BY id DESC LIMIT 1;` }],
  notRehearsed: { 'better-sqlite3': 'the SQLite of rehearse is built without UPDATE … LIMIT; the report says so' },
  real: { 'better-sqlite3': { harm: { 'jobs.state changed': 1 } }, libsql: { error: /near "ORDER": syntax error/ } },
};
