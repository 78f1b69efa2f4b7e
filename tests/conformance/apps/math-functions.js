const schema = `export const prices = sqliteTable('prices', { id: integer('id').primaryKey(), cents: integer('cents'), euros: real('euros') });`;

export default {
  name: 'mathematical functions that both drivers have',
  benign: true,
  history: [schema],
  seed: `INSERT INTO prices VALUES (1, 150, NULL), (2, 99, NULL);`,
  pending: [{ custom: `UPDATE prices SET euros = ceil(cents / 100.0);` }],
};
