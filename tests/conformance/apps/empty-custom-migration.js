const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey() });`;

export default {
  name: 'a custom migration that was never written fails',
  layouts: ['v0', 'v1'],
  history: [schema],
  seed: `INSERT INTO users VALUES (1);`,
  pending: [{ custom: '' }],
  real: {
    'better-sqlite3': { error: /contains no statements/ },
    libsql: { error: /not an error/ },
  },
};
