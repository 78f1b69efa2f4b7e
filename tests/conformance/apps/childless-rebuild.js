const schema = (bio) => `
export const people = sqliteTable('people', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  name: text('name').notNull().default('nobody'),
  bio: ${bio},
}, (table) => [uniqueIndex('people_name').on(table.name), index('people_bio').on(table.bio)]);`;

export default {
  name: 'the rebuild of a table that nothing refers to is harmless',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema(`text('bio')`)],
  seed: `INSERT INTO people VALUES (1, 'ada', 'writes'), (2, 'bob', ''), (7, 'cy', 'x''y');`,
  pending: [schema(`text('bio').notNull().default('none')`)],
};
