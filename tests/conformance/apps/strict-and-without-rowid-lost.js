const schema = (value) => `
export const settings = sqliteTable('settings', { key: text('key').primaryKey(), value: ${value} });`;

export default {
  name: 'a rebuild forgets STRICT and WITHOUT ROWID',
  ledger: true,
  history: [
    schema(`text('value')`),
    { custom: 'DROP TABLE settings;\n--> statement-breakpoint\nCREATE TABLE settings (key text PRIMARY KEY NOT NULL, value text) STRICT, WITHOUT ROWID;' },
  ],
  seed: `INSERT INTO settings VALUES ('b', '2'), ('a', '1');`,
  pending: [schema(`text('value').notNull()`)],
};
