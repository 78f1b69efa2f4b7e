const schema = (more) => `
export const teams = sqliteTable('teams', { id: integer('id').primaryKey() });
export const users = sqliteTable('users', { id: integer('id').primaryKey()${more} });`;

export default {
  name: 'a new column that refers to another table (0.31 forgets its ON DELETE)',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema('')],
  seed: `INSERT INTO teams VALUES (1); INSERT INTO users VALUES (1), (2);`,
  pending: [schema(`, teamId: integer('team_id').references(() => teams.id, { onDelete: 'cascade' })`)],
};
