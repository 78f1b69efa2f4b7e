const users = (more) => `export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: text('name')${more} });\n`;
const tags = `export const tags = sqliteTable('tags', { id: integer('id').primaryKey(), label: text('label').unique() });\n`;

export default {
  name: 'several pending migrations are all run, in order',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [users('')],
  seed: `INSERT INTO users VALUES (1, 'ada'), (2, NULL);`,
  pending: [
    users(`, plan: text('plan')`),
    { custom: `UPDATE users SET plan = 'free' WHERE plan IS NULL;` },
    users(`, plan: text('plan').notNull().default('free')`),
    users(`, plan: text('plan').notNull().default('free')`) + tags,
    { custom: `INSERT INTO tags(label) VALUES ('a'), ('b') RETURNING id;` },
  ],
};
