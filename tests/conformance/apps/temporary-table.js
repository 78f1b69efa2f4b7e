const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: text('name') });`;

export default {
  name: 'a temporary table carries values from one migration to the next',
  benign: true,
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'ada'), (2, 'bob');`,
  pending: [
    { custom: `CREATE TEMP TABLE kept AS SELECT * FROM users;\n--> statement-breakpoint\nDELETE FROM users;` },
    { custom: `INSERT INTO users SELECT * FROM kept;\n--> statement-breakpoint\nDROP TABLE kept;` },
  ],
};
