const schema = (body) => `
export const notes = sqliteTable('notes', { id: integer('id').primaryKey(), body: ${body} });
export const log = sqliteTable('log', { id: integer('id').primaryKey(), what: text('what') });`;

export default {
  name: 'a trigger of another table that mentions the rebuilt one makes the rename fail',
  history: [
    schema(`text('body')`),
    { custom: `CREATE TRIGGER log_notes AFTER INSERT ON log BEGIN UPDATE notes SET body = new.what WHERE id = new.id; END;` },
  ],
  seed: `INSERT INTO notes VALUES (1, 'a'), (2, 'b'); INSERT INTO log VALUES (1, 'x');`,
  pending: [schema(`text('body').notNull()`)],
  real: { always: { error: /error in trigger log_notes: no such table: main\.notes/ } },
};
