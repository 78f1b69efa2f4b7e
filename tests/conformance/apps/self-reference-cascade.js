const schema = (body) => `
export const comments = sqliteTable('comments', {
  id: integer('id').primaryKey(),
  parentId: integer('parent_id').references(() => comments.id, { onDelete: 'cascade' }),
  body: ${body},
});`;

export default {
  name: 'a rebuilt table that refers to itself with CASCADE loses its own descendants',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema(`text('body')`)],
  seed: `INSERT INTO comments VALUES (1, NULL, 'root'), (2, 1, 'reply'), (3, 2, 'again'), (4, NULL, 'alone');`,
  pending: [schema(`text('body').notNull()`)],
  real: { 'better-sqlite3': { harm: { 'comments rows': 2 } } },
};
