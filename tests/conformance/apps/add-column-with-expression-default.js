const schema = (more) => `
export const users = sqliteTable('users', { id: integer('id').primaryKey()${more} });`;

export default {
  name: 'a column whose default is an expression cannot be added to a table with rows',
  history: [schema('')],
  seed: `INSERT INTO users VALUES (1), (2);`,
  pending: [schema(`, createdAt: integer('created_at').notNull().default(sql\`(unixepoch())\`)`)],
  real: { always: { error: /Cannot add a column with non-constant default/ } },
};
