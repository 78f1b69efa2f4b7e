const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), email: text('email') });`;

export default {
  name: 'writing to sqlite_schema: better-sqlite3 is defensive and refuses, libsql lets it happen',
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'a'), (2, 'b');`,
  pending: [{
    custom: [
      'PRAGMA writable_schema = ON;',
      `UPDATE sqlite_master SET sql = replace(sql, '\`email\` text', '\`email\` text NOT NULL') WHERE name = 'users';`,
      'PRAGMA writable_schema = RESET;',
    ].join('\n--> statement-breakpoint\n'),
  }],
  real: { 'better-sqlite3': { error: /table sqlite_master may not be modified/ } },
};
