const schema = (name) => `
export const books = sqliteTable('books', { isbn: text('isbn').primaryKey(), name: ${name} });
export const tags = sqliteTable('tags', { id: integer('id').primaryKey(), tag: text('tag').notNull().unique() });
export const bookTags = sqliteTable('book_tags', {
  isbn: text('isbn').notNull().references(() => books.isbn, { onDelete: 'cascade', onUpdate: 'cascade' }),
  tagId: integer('tag_id').notNull().references(() => tags.id, { onDelete: 'cascade' }),
}, (table) => [primaryKey({ columns: [table.isbn, table.tagId] })]);`;

export default {
  name: 'a junction table with a composite key is emptied by the rebuild of one of its parents',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema(`text('name')`)],
  seed: `
    INSERT INTO books VALUES ('0007', 'a'), ('0008', 'b');
    INSERT INTO tags VALUES (1, 'old'), (2, 'new');
    INSERT INTO book_tags VALUES ('0007', 1), ('0007', 2), ('0008', 2);`,
  pending: [schema(`text('name').notNull()`)],
  real: { 'better-sqlite3': { harm: { 'book_tags rows': 3 } } },
};
