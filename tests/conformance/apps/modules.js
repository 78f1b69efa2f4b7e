const schema = `export const places = sqliteTable('places', { id: integer('id').primaryKey() });`;

export default {
  name: 'virtual tables of the modules that both drivers have: geopoly, rtree, fts4',
  benign: true,
  history: [schema],
  seed: `INSERT INTO places VALUES (1);`,
  pending: [{
    custom: [
      'CREATE VIRTUAL TABLE areas USING geopoly(name);',
      `CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1, y0, y1);`,
      `CREATE VIRTUAL TABLE words USING fts4(body);`,
      `INSERT INTO boxes VALUES (1, 0, 1, 0, 1);`,
      `INSERT INTO words(body) VALUES ('the quick fox');`,
    ].join('\n--> statement-breakpoint\n'),
  }],
};
