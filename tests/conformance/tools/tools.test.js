// Every case, with every tool: what the real tool does to the database, and what rehearse says and does.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { contents, differences, execute, harm, query } from '../lib/database.js';
import { rehearse } from '../lib/rehearse.js';
import shared, { historic, SEED } from './cases.js';

const FILES = ['d1', 'dbmate', 'diesel', 'geni', 'prisma', 'refinery', 'rusqlite-migration', 'sql-migrate', 'sqlx'];
const tools = (await Promise.all(FILES.map((file) => import(`./${file}.js`)))).flatMap((module) => module.default);
const workspace = await mkdtemp(join(tmpdir(), 'rehearse-tools-'));
const productions = new Map();
let count = 0;
let failed = false;

describe('rehearse does what the real tool does', { concurrency: 2 }, () => {
  for (const tool of tools) {
    for (const given of [...shared, ...tool.cases]) {
      const expected = expectation(given, tool);
      test(`${given.name} [${tool.id}]`, { skip: reasonToSkip(given, tool, expected) }, async () => {
        await check(given, tool, expected).catch((error) => {
          failed = true;
          throw error;
        });
      });
    }
  }
});

after(async () => {
  if (failed) console.error(`the databases and reports are kept in ${workspace}`);
  else await rm(workspace, { recursive: true });
});

/** What the case says must really happen: `{ applied, made, harm, error | refusal }`. */
function expectation({ expect }, tool) {
  return expect[tool.id] ?? expect[tool.family] ?? expect.default;
}

function reasonToSkip(given, tool, expected) {
  if (tool.missing) return tool.missing;
  if (given.foreignKeys && !tool.foreignKeys) return expected.skip ?? 'foreign keys cannot be set from outside';
  return expected.skip;
}

async function check(given, tool, expected) {
  count += 1;
  const folder = join(workspace, `${String(count).padStart(3, '0')}-${tool.id.replaceAll(' ', '-')}`);
  const at = (name) => join(folder, name);
  const production = await once(JSON.stringify([tool.id, given.history, given.prepare, given.dirty, given.ledgerSql, given.table]), () =>
    makeProduction(given, tool),
  );
  await mkdir(at('snapshot'), { recursive: true });
  await copyFile(production.database, at('snapshot/production.db'));
  await cp(production.project, at('project'), { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('node_modules') });
  await change(given, tool, at('project'));
  const place = { project: at('project'), migrations: join(at('project'), tool.folder), scratch: at('scratch') };
  const foreignKeys = given.foreignKeys === 'opposite' ? { on: 'off', off: 'on' }[tool.foreignKeys] : given.foreignKeys;
  const ledger = tool.ledger(given.table);

  // What really happens.
  await mkdir(place.scratch);
  await copyFile(at('snapshot/production.db'), at('before.db'));
  await copyFile(at('snapshot/production.db'), at('real.db'));
  const message = await tool.run({ ...place, database: at('real.db'), table: given.table, foreignKeys });
  const told = message === null ? null : folded(message, place);
  const said = [expected.refusal ?? []].flat();
  if (expected.error) said.push((tool.says ?? String)(expected.error));
  if (said.length === 0) assert.equal(told, null, 'what the real tool says');
  for (const words of said) assert.ok(told?.includes(folded(words, place)), `the real tool must say "${words}" and says "${told}"`);
  const applied = appliedIn(at('real.db'), tool, given).slice(appliedIn(at('before.db'), tool, given).length);
  assert.deepEqual(applied, expected.applied ?? [], 'what the real tool applied');
  assert.deepEqual(madeTables(at('before.db'), at('real.db'), ledger), expected.made ?? [], 'the tables that the real tool made');
  const done = harm(at('before.db'), at('real.db'), {}, ledger);
  assert.deepEqual(done, expected.harm ?? {}, 'what the real tool did to the data');
  if (process.env.REHEARSE === 'none' || expected.notRehearsed) return;

  // What rehearse makes of it.
  const before = await fingerprints(at('snapshot'));
  const rehearsal = await rehearse({
    snapshot: at('snapshot/production.db'),
    migrations: place.migrations,
    tool: tool.rehearse,
    ledgerTable: given.table,
    foreignKeys,
    cwd: place.project,
    copy: at('rehearsed.db'),
    out: at('report.json'),
  });
  assert.ok(rehearsal.report, `no report was written, exit code ${rehearsal.exit}: ${rehearsal.stderr}`);
  const disagreements = [];
  const agree = (condition, otherwise) => condition || disagreements.push(otherwise);
  const { verdict, findings } = rehearsal.report;
  if (message !== null) {
    const messages = [...rehearsal.errors.map((error) => error.message), ...findings.filter(({ code }) => code.startsWith('EX')).map((finding) => finding.message)];
    const words = [expected.refusal ?? [], expected.error ?? []].flat().map((text) => folded(text, place));
    agree(verdict === 'failed' && rehearsal.exit === 3, `the tool fails with "${told}", but the verdict is ${verdict}, exit code ${rehearsal.exit}`);
    for (const text of words) {
      agree(messages.some((message) => folded(message, place).includes(text)), `the tool says "${text}", rehearse ${JSON.stringify(messages)}`);
    }
  } else {
    agree(verdict !== 'failed' && rehearsal.errors.length === 0, `the tool succeeds, but the verdict is ${verdict}: ${rehearsal.errors.map((error) => error.message)}`);
    agree([0, 1].includes(rehearsal.exit), `the tool succeeds, but the exit code is ${rehearsal.exit}`);
    const pending = rehearsal.report.plan.pending.map(({ name }) => name);
    agree(pending.length === (expected.pending ?? applied.length), `the tool applied ${applied}, rehearse planned ${pending}`);
    if (Object.keys(done).some((fact) => !fact.endsWith(' changed'))) {
      agree(verdict !== 'passed' && rehearsal.exit === 1, `the tool did ${JSON.stringify(done)}, but the verdict is ${verdict}, exit code ${rehearsal.exit}`);
    }
  }
  // Where nothing may run, there may be no copy: then nothing may really have changed.
  const rehearsed = existsSync(at('rehearsed.db')) ? at('rehearsed.db') : at('snapshot/production.db');
  disagreements.push(...differences(contents(at('real.db'), ledger), contents(rehearsed, ledger)));
  agree(JSON.stringify(await fingerprints(at('snapshot'))) === JSON.stringify(before), 'the snapshot or what lies beside it changed');
  assert.ok(disagreements.length === 0, `\n${disagreements.map((line) => `- ${line}`).join('\n')}`);
}

/** A project with its migrations, and the database to which the real tool has applied them. */
async function makeProduction(given, tool) {
  const folder = join(workspace, `production-${productions.size}`);
  const [project, scratch, database] = ['project', 'scratch', 'production.db'].map((name) => join(folder, name));
  const migrations = join(project, tool.folder);
  await mkdir(scratch, { recursive: true });
  await write(project, typeof tool.project === 'function' ? tool.project(given.table) : (tool.project ?? {}));
  await mkdir(migrations, { recursive: true });
  // A database with a page and nothing in it.
  execute(database, 'CREATE TABLE gone (x); DROP TABLE gone; VACUUM;');
  const history = (given.history ?? [1, 2]).map(historic);
  for (const migration of history) await write(migrations, filesOf(migration, tool));
  if (history.length > 0) {
    const message = await tool.run({ project, migrations, scratch, database, table: given.table });
    assert.equal(message, null, 'the history must be applied without an error');
  }
  for (const { version } of history) execute(database, SEED[version] ?? '');
  if (given.prepare) execute(database, given.prepare);
  for (const version of given.dirty ?? []) if (tool.dirty) execute(database, tool.dirty(version));
  if (given.ledgerSql) execute(database, given.ledgerSql);
  return { project, database };
}

/** Brings the pending migrations into a project, and what else happened to the files since. */
async function change({ pending = [], edit = {}, remove = [], rename: renamed = {} }, tool, project) {
  const migrations = join(project, tool.folder);
  for (const [version, sql] of Object.entries(edit)) await write(migrations, filesOf({ ...historic(Number(version)), sql }, tool));
  for (const version of remove) await rm(join(migrations, tool.path(historic(version))), { recursive: true });
  for (const [version, path] of Object.entries(renamed)) await rename(join(migrations, tool.path(historic(Number(version)))), join(migrations, path));
  for (const migration of pending) await write(migrations, migration.path ? { [migration.path]: migration.text } : filesOf(migration, tool));
}

/** The files of a migration in the tool's own layout. */
function filesOf(migration, tool) {
  const paths = [tool.path(migration), ...(migration.twin ? [tool.twin(migration)] : [])];
  const files = Object.assign({}, ...paths.map((path) => tool.files(migration, path)));
  const finished = (text) => `${migration.bom ? '\ufeff' : ''}${migration.crlf ? text.replaceAll('\n', '\r\n') : text}`;
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [path, finished(text)]));
}

async function write(folder, files) {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** The versions in the tool's ledger, in the order of its rows. */
function appliedIn(file, tool, { table }) {
  const ledger = tool.ledger(table).table;
  if (ledger && query(file, `SELECT 1 FROM sqlite_schema WHERE name = '${ledger}'`).length === 0) return [];
  return tool.applied((sql) => query(file, sql), table);
}

/** The tables of which the definition is new, in the order in which they were made. */
function madeTables(before, after, ledger) {
  const tables = (file) =>
    query(file, `SELECT s.name, s.sql FROM sqlite_schema s JOIN pragma_table_list t ON t.name = s.name AND t.schema = 'main' WHERE t.type IN ('table', 'virtual') AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY s.rowid`);
  const old = new Map(tables(before).map(({ name, sql }) => [name, sql]));
  const own = ({ name }) => name === ledger.table || ledger.internal?.test(name);
  return tables(after).filter((table) => !own(table) && old.get(table.name) !== table.sql).map(({ name }) => name);
}

/** A text on one line, without its last full stop and the places where this run happens to keep its files. */
function folded(text, { migrations, project, scratch }) {
  return [migrations, project, scratch].reduce((text, path) => text.replaceAll(path, '…'), text).replace(/\s+/g, ' ').trim().replace(/\.$/, '');
}

/** The name and the hash of every file in a folder. */
async function fingerprints(folder) {
  const names = (await readdir(folder)).sort();
  return Promise.all(names.map(async (name) => [name, createHash('sha256').update(await readFile(join(folder, name))).digest('hex')]));
}

function once(key, make) {
  if (!productions.has(key)) productions.set(key, make());
  return productions.get(key);
}
