const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), email: text('email') });`;

export default {
  name: 'an UPDATE changes values',
  layouts: ['v0', 'v1'],
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'Ada@Example.org'), (2, 'bob@example.org'), (3, ' x ');`,
  pending: [{ custom: `UPDATE users SET email = lower(trim(email));` }],
  real: { always: { harm: { 'users.email changed': 2 } } },
};
