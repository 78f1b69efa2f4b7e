const schema = `export const marks = sqliteTable('marks', { id: integer('id').primaryKey(), mark: integer('mark'), middle: real('middle') });`;

export default {
  name: 'median(), which both drivers have',
  benign: true,
  history: [schema],
  seed: `INSERT INTO marks VALUES (1, 10, NULL), (2, 20, NULL), (3, 90, NULL);`,
  pending: [{ custom: `UPDATE marks SET middle = (SELECT median(mark) FROM marks);` }],
};
