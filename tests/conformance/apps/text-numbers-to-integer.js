const schema = (zip) => `
export const addresses = sqliteTable('addresses', { id: integer('id').primaryKey(), zip: ${zip} });`;

export default {
  name: 'text becomes integer: leading zeros, exponents and blanks are gone',
  layouts: ['v0', 'v1'],
  history: [schema(`text('zip')`)],
  seed: `INSERT INTO addresses VALUES (1, '00123'), (2, '7e2'), (3, ' 12 '), (4, '0x1F'), (5, 'abc'), (6, NULL), (7, '');`,
  pending: [schema(`integer('zip')`)],
  real: { always: { harm: { 'addresses.zip changed': 3 } } },
};
