const schema = `export const users = sqliteTable('users', { id: integer('id').primaryKey(), name: text('name') });`;

export default {
  name: 'the order of the journal is the order of the run, whatever the numbers and times say',
  history: [schema],
  seed: `INSERT INTO users VALUES (1, 'a');`,
  pending: [
    { custom: `UPDATE users SET name = name || ' first';` },
    { custom: `UPDATE users SET name = name || ' second';` },
    { edit: (project) => project.journal((entries) => entries.push(...entries.splice(1, 1))) },
  ],
  real: { always: { harm: { 'users.name changed': 1 } } },
};
