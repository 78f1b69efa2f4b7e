const schema = `export const posts = sqliteTable('posts', { id: integer('id').primaryKey(), body: text('body') });`;

export default {
  name: 'a full-text index made by a custom migration',
  benign: true,
  history: [schema],
  seed: `INSERT INTO posts VALUES (1, 'the quick fox'), (2, 'a lazy dog');`,
  pending: [{
    custom: [
      `CREATE VIRTUAL TABLE posts_fts USING fts5(body, content='posts', content_rowid='id');`,
      `INSERT INTO posts_fts(posts_fts) VALUES ('rebuild');`,
      `CREATE TRIGGER posts_ai AFTER INSERT ON posts BEGIN INSERT INTO posts_fts(rowid, body) VALUES (new.id, new.body); END;`,
    ].join('\n--> statement-breakpoint\n'),
  }],
};
