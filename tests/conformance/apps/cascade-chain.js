const schema = (name) => `
export const companies = sqliteTable('companies', { id: integer('id').primaryKey(), name: ${name} });
export const teams = sqliteTable('teams', {
  id: integer('id').primaryKey(),
  companyId: integer('company_id').notNull().references(() => companies.id, { onDelete: 'cascade' }),
});
export const people = sqliteTable('people', {
  id: integer('id').primaryKey(),
  teamId: integer('team_id').references(() => teams.id, { onDelete: 'cascade' }),
});
export const badges = sqliteTable('badges', {
  id: integer('id').primaryKey(),
  personId: integer('person_id').references(() => people.id, { onDelete: 'set null' }),
});`;

export default {
  name: 'a cascade goes on from table to table',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema(`text('name')`)],
  seed: `
    INSERT INTO companies VALUES (1, 'one'), (2, 'two');
    INSERT INTO teams VALUES (1, 1), (2, 2);
    INSERT INTO people VALUES (1, 1), (2, 2), (3, NULL);
    INSERT INTO badges VALUES (1, 1), (2, 3);`,
  pending: [schema(`text('name').notNull()`)],
  real: { 'better-sqlite3': { harm: { 'teams rows': 2, 'people rows': 2, 'badges.person_id nulled': 1 } } },
};
