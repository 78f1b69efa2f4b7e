const schema = (body) => `
export const notes = sqliteTable('notes', { id: integer('id').primaryKey(), body: ${body} });
export const audit = sqliteTable('audit', { id: integer('id').primaryKey(), noteId: integer('note_id'), what: text('what') });`;

export default {
  name: 'a rebuild takes the triggers of the table with it',
  layouts: ['v0', 'v1'],
  history: [
    schema(`text('body')`),
    { custom: `CREATE TRIGGER notes_audit AFTER UPDATE ON notes BEGIN INSERT INTO audit(note_id, what) VALUES (new.id, 'update'); END;` },
  ],
  seed: `INSERT INTO notes VALUES (1, 'a'), (2, 'b'); UPDATE notes SET body = 'c' WHERE id = 2;`,
  pending: [schema(`text('body').notNull()`)],
  real: { always: { harm: { 'trigger notes_audit': 1 } } },
};
