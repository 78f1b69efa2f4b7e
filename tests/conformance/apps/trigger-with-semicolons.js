const schema = `
export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: text('name') });
export const log = sqliteTable('log', { id: integer('id').primaryKey(), what: text('what') });`;

export default {
  name: 'a trigger with CASE … END and semicolons inside is one statement',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'ada'), (2, NULL);`,
  pending: [{
    custom: `CREATE TRIGGER users_log AFTER UPDATE OF name ON users WHEN old.name IS NOT new.name BEGIN
  -- a comment; with END; in it
  INSERT INTO log(what) VALUES (CASE WHEN new.name IS NULL THEN 'gone; END;' ELSE 'now ' || new.name END);
  UPDATE users SET name = trim(new.name) WHERE id = new.id;
END;
--> statement-breakpoint
UPDATE users SET name = ' bob ' WHERE id = 2;
`,
  }],
};
