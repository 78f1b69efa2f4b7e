// sql-migrate (rubenv): its command, as Debian has it.
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { time } from '../lib/database.js';
import { padded, run } from './lib/command.js';

const hint = 'See https://github.com/rubenv/sql-migrate for details.';
const unparsed = (file, why) => `Error while parsing ${file}: Error parsing migration (${file}): ERROR: ${why} ${hint}`;
const made = { version: 3, name: 'made', sql: 'CREATE TABLE made (x);\n' };

const cases = [
  {
    name: 'a file without a marker stops everything',
    pending: [made, { path: '0004_none.sql', text: 'CREATE TABLE none (x);\n' }],
    expect: { default: { refusal: unparsed('0004_none.sql', 'no Up/Down annotations found, so no statements were executed.') } },
  },
  {
    name: 'a last statement without a semicolon stops everything',
    pending: [made, { path: '0004_none.sql', text: '-- +migrate Up\nCREATE TABLE none (x)\n' }],
    expect: {
      default: { refusal: unparsed('0004_none.sql', "The last statement must be ended by a semicolon or '-- +migrate StatementEnd' marker.") },
    },
  },
  {
    name: 'a trigger over several lines is split',
    pending: [{ path: '0003_split.sql', text: '-- +migrate Up\nCREATE TRIGGER split AFTER INSERT ON users BEGIN\n  SELECT 1;\nEND;\n' }],
    expect: { default: { error: 'incomplete input' } },
  },
  {
    name: 'numbers come before names, by number',
    pending: [
      { path: '10_ten.sql', text: '-- +migrate Up\nCREATE TABLE ten (x);\n' },
      { path: '9_nine.sql', text: '-- +migrate Up\nCREATE TABLE nine (x);\n' },
      { path: 'abc.sql', text: '-- +migrate Up\nCREATE TABLE abc (x);\n' },
    ],
    expect: { default: { applied: [9, 10, NaN], made: ['nine', 'ten', 'abc'] } },
  },
  {
    name: 'comments and several statements on a line',
    pending: [
      {
        path: '0003_lines.sql',
        text: '-- a comment\n-- +migrate Up\n-- hello\nCREATE TABLE one (\n-- inside\nx -- trailing;\n);\n/* block; */\nCREATE TABLE two (x); CREATE TABLE three (x); -- after\n-- +migrate Down\nDROP TABLE one;\n',
      },
    ],
    expect: { default: { applied: [3], made: ['one', 'two', 'three'] } },
  },
];

export default [
  {
    id: 'sql-migrate',
    rehearse: 'sql-migrate',
    folder: 'migrations',
    foreignKeys: 'off',
    missing: installed() ? undefined : 'sql-migrate is not installed and could not be: it is a package of Debian',
    // Its ANALYZE makes no sqlite_stat4; that of rehearse does.
    ledger: (table = 'gorp_migrations') => ({ table, volatile: { applied_at: time }, internal: /^sqlite_stat4$/ }),
    project: (table) => ({ 'dbconfig.yml': configuration('app.db', table) }),
    path: ({ version, name }) => `${padded(version)}_${name}.sql`,
    twin: ({ version, name }) => `${padded(version)}_${name}_twin.sql`,
    files: ({ sql, noTransaction }, path) => ({ [path]: `-- +migrate Up${noTransaction ? ' notransaction' : ''}\n${statements(sql)}-- +migrate Down\n` }),
    applied: (query, table = 'gorp_migrations') => query(`SELECT id FROM ${table} ORDER BY rowid`).map(({ id }) => Number.parseInt(id, 10)),
    run: async ({ project, scratch, database, table, foreignKeys }) => {
      const config = join(scratch, 'dbconfig.yml');
      await writeFile(config, configuration(`${database}${foreignKeys ? `?_foreign_keys=${foreignKeys}` : ''}`, table));
      const { exit, stdout } = await run('sql-migrate', ['up', `-config=${config}`], { cwd: project });
      return exit === 0 ? null : stdout.trim().replace(/^Migration failed: /, '');
    },
    cases,
  },
];

function configuration(datasource, table) {
  return `development:\n  dialect: sqlite3\n  datasource: ${datasource}\n  dir: migrations\n${table ? `  table: ${table}\n` : ''}`;
}

/** Statements in a list that hold others are marked as one. */
function statements(sql) {
  if (!Array.isArray(sql)) return sql === '' || sql.endsWith('\n') ? sql : `${sql}\n`;
  const marked = (statement) => (/\bBEGIN\b/.test(statement) ? `-- +migrate StatementBegin\n${statement}\n-- +migrate StatementEnd` : statement);
  return `${sql.map(marked).join('\n')}\n`;
}

function installed() {
  try {
    execFileSync('sql-migrate', ['--version'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    return error.code !== 'ENOENT';
  }
}
