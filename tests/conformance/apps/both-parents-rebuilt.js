const schema = (name) => `
export const owners = sqliteTable('owners', { id: integer('id').primaryKey(), name: ${name} });
export const pets = sqliteTable('pets', {
  id: integer('id').primaryKey(),
  ownerId: integer('owner_id').references(() => owners.id, { onDelete: 'cascade' }),
  name: ${name},
});`;

export default {
  name: 'parent and child rebuilt in one migration',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema(`text('name')`)],
  seed: `
    INSERT INTO owners VALUES (1, 'ada'), (2, 'bob');
    INSERT INTO pets VALUES (1, 1, 'rex'), (2, 2, 'tom'), (3, NULL, 'stray');`,
  pending: [schema(`text('name').notNull()`)],
  real: { 'better-sqlite3': { harm: { 'pets rows': 2 } } },
};
