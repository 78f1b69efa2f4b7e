const schema = (body) => `
export const folders = sqliteTable('folders', {
  id: integer('id').primaryKey(),
  parentId: integer('parent_id').references(() => folders.id),
  body: ${body},
});`;

export default {
  name: 'a rebuilt table that refers to itself with NO ACTION fails where foreign keys stay on',
  benign: true,
  history: [schema(`text('body')`)],
  seed: `INSERT INTO folders VALUES (1, NULL, 'root'), (2, 1, 'below');`,
  pending: [schema(`text('body').notNull()`)],
  real: { 'better-sqlite3': { error: /FOREIGN KEY constraint failed/ } },
};
