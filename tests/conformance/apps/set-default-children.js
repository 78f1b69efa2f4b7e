const schema = (label) => `
export const teams = sqliteTable('teams', { id: integer('id').primaryKey(), label: ${label} });
export const members = sqliteTable('members', {
  id: integer('id').primaryKey(),
  teamId: integer('team_id').default(1).references(() => teams.id, { onDelete: 'set default' }),
});`;

export default {
  name: 'a rebuilt parent with SET DEFAULT children fails: the default parent is deleted too',
  benign: true,
  history: [schema(`text('label')`)],
  seed: `
    INSERT INTO teams VALUES (1, 'everyone'), (2, 'few');
    INSERT INTO members VALUES (1, 2), (2, NULL);`,
  pending: [schema(`text('label').notNull()`)],
  real: { 'better-sqlite3': { error: /FOREIGN KEY constraint failed/ } },
};
