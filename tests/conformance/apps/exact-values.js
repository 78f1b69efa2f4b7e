const schema = (label) => `
export const things = sqliteTable('things', {
  id: integer('id').primaryKey(),
  label: ${label},
  number: real('number'),
  count: integer('count'),
  bytes: blob('bytes'),
  amount: numeric('amount'),
});`;

export default {
  name: 'a rebuild carries every value over exactly',
  layouts: ['v0', 'v1'],
  benign: true,
  history: [schema(`text('label')`)],
  seed: `
    INSERT INTO things VALUES
      (-5, 'Zo' || char(235) || char(128169), 0.1, 9223372036854775807, x'00ff00', 12),
      (0, 'a' || char(0) || 'b', -0.0, -9223372036854775808, x'', '12.50'),
      (1, '', 9e999, 1.5, 'not bytes', 'abc'),
      (9007199254740993, ' 12 ', 1e-300, 'many', 7, -9e999),
      (9223372036854775807, CAST(x'ff' AS TEXT), NULL, NULL, NULL, NULL);`,
  pending: [schema(`text('label').notNull()`)],
};
