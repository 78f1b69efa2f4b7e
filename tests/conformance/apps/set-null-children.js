const schema = (label) => `
export const projects = sqliteTable('projects', { id: integer('id').primaryKey(), label: ${label} });
export const tasks = sqliteTable('tasks', {
  id: integer('id').primaryKey(),
  projectId: integer('project_id').references(() => projects.id, { onDelete: 'set null' }),
  title: text('title').notNull(),
});`;

export default {
  name: 'a rebuilt parent nulls what refers to it with SET NULL where foreign keys stay on',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema(`text('label')`)],
  seed: `
    INSERT INTO projects VALUES (1, 'garden'), (2, 'roof');
    INSERT INTO tasks VALUES (1, 1, 'dig'), (2, NULL, 'rest'), (3, 2, 'tile');`,
  pending: [schema(`text('label').notNull()`)],
  real: { 'better-sqlite3': { harm: { 'tasks.project_id nulled': 2 } } },
};
