const schema = `
export const users = sqliteTable('users', { id: integer('id').primaryKey() });
export const posts = sqliteTable('posts', { id: integer('id').primaryKey(), userId: integer('user_id').references(() => users.id, { onDelete: 'cascade' }) });
export const audit = sqliteTable('audit', { id: integer('id').primaryKey(), what: text('what') });`;

const trigger = (table) => ({
  custom: `CREATE TRIGGER ${table}_deleted AFTER DELETE ON ${table} BEGIN INSERT INTO audit(what) VALUES ('${table} ' || old.id); END;`,
});

export default {
  name: 'a DELETE fires its triggers, and those of the rows that the cascade deletes',
  history: [schema, trigger('users'), trigger('posts')],
  seed: `INSERT INTO users VALUES (1), (2); INSERT INTO posts VALUES (1, 1), (2, 1), (3, 2);`,
  pending: [{ custom: `DELETE FROM users WHERE id = 1;` }],
  real: {
    'better-sqlite3': { harm: { 'users rows': 1, 'posts rows': 2 } },
    libsql: { harm: { 'users rows': 1, 'posts orphans': 2 } },
  },
};
