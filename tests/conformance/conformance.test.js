// Every app, under every driver: what the real migrate() does to the database, and what rehearse says and does.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { contents, differences, execute, harm } from './lib/database.js';
import { migrate } from './lib/migrator.js';
import { Project } from './lib/project.js';
import { rehearse } from './lib/rehearse.js';

const run = promisify(execFile);
const DRIVERS = ['better-sqlite3', 'libsql'];
const apps = await everyApp();
const workspace = await mkdtemp(join(tmpdir(), 'rehearse-conformance-'));
let failed = false;

describe('rehearse does what the real migrate() does', { concurrency: 2 }, () => {
  for (const app of apps) {
    for (const layout of app.layouts ?? ['v0']) {
      const production = once(() => makeProduction(app, layout));
      for (const driver of app.drivers ?? DRIVERS) {
        test(`${app.name} [${layout}, ${driver}]`, { skip: app.notRehearsed?.[driver] }, async () => {
          await check(app, layout, driver, await production()).catch((error) => {
            failed = true;
            throw error;
          });
        });
      }
    }
  }
});

after(async () => {
  if (failed) console.error(`the databases and reports are kept in ${workspace}`);
  else await rm(workspace, { recursive: true });
});

/** The project with its migrations, and the production database as it was before the pending ones. */
async function makeProduction(app, layout) {
  const folder = join(workspace, `${app.id}-${layout}`);
  const project = await Project.create(folder, layout);
  const database = join(folder, 'production.db');
  await project.steps(app.history);
  if (app.prepare) execute(database, app.prepare);
  if (app.ledger !== false) {
    const outcome = await migrate({ layout, driver: 'better-sqlite3', database, migrations: project.migrations });
    assert.equal(outcome.error, null, 'the history must be applied without an error');
  }
  const connection = execute(database, app.seed, { keepOpen: app.wal });
  const snapshot = join(folder, 'snapshot/production.db');
  await mkdir(join(folder, 'snapshot'));
  await copyDatabase(database, snapshot);
  connection?.close();
  await project.steps(app.pending);
  return { folder, snapshot, migrations: project.migrations, layout: project.layout };
}

async function check(app, layout, driver, production) {
  const folder = join(production.folder, driver);
  await mkdir(folder);
  const at = (name) => join(folder, name);

  // What really happens.
  await copyDatabase(production.snapshot, at('before.db'));
  await copyDatabase(production.snapshot, at('real.db'));
  const real = await migrateInChild({ layout: production.layout, driver, database: at('real.db'), migrations: production.migrations, foreignKeys: app.foreignKeys });
  const done = harm(at('before.db'), at('real.db'), real.error ? {} : app.renamed);
  const expected = expectation(app, layout, driver);
  if (expected.error) assert.match(real.error?.message ?? 'no error', expected.error, 'the real migrate()');
  else assert.equal(real.error?.message ?? null, null, 'the real migrate()');
  assert.deepEqual(done, expected.harm ?? {}, 'what the real migrate() did to the data');
  if (process.env.REHEARSE === 'none') return;

  // What rehearse makes of it.
  const before = await fingerprints(production.snapshot);
  const rehearsal = await rehearse({
    snapshot: production.snapshot,
    migrations: production.migrations,
    driver,
    foreignKeys: app.foreignKeys,
    copy: at('rehearsed.db'),
    out: at('report.json'),
  });
  const disagreements = [];
  const agree = (condition, otherwise) => condition || disagreements.push(otherwise);

  if (app.refused) {
    agree(rehearsal.exit > 1, `migrate() refuses with "${real.error.message}", but the exit code is ${rehearsal.exit}`);
    assert.ok(disagreements.length === 0, disagreements[0]);
    return;
  }
  assert.ok(rehearsal.report, `no report was written, exit code ${rehearsal.exit}: ${rehearsal.stderr}`);
  const { verdict, findings } = rehearsal.report;
  if (real.error) {
    const messages = rehearsal.errors.map((error) => error.message);
    agree(verdict === 'failed' && rehearsal.exit === 3, `migrate() fails with "${real.error.message}", but the verdict is ${verdict}, exit code ${rehearsal.exit}`);
    agree(messages.some((message) => expected.error.test(message)), `migrate() fails with "${real.error.message}", rehearse with ${JSON.stringify(messages)}`);
    // Where the texts may differ (a failing ROLLBACK hides the first error), so may the codes.
    const said = (message) => expected.error.exec(message)?.[0];
    const codes = rehearsal.errors
      .filter(({ message }) => said(message) === said(real.error.message))
      .map((error) => error.extended_code ?? null)
      .filter((code) => code !== null);
    const code = extendedCode(real.error);
    agree(code === null || codes.length === 0 || codes.includes(code), `migrate() fails with code ${code}, rehearse with ${codes}`);
  } else {
    agree(verdict !== 'failed' && rehearsal.errors.length === 0, `migrate() succeeds, but the verdict is ${verdict}: ${rehearsal.errors.map((error) => error.message)}`);
    agree([0, 1].includes(rehearsal.exit), `migrate() succeeds, but the exit code is ${rehearsal.exit}`);
    for (const fact of app.intended ?? []) delete done[fact];
    const harmed = JSON.stringify(done);
    if (Object.keys(done).some((fact) => !fact.endsWith(' changed'))) {
      agree(verdict !== 'passed' && rehearsal.exit === 1, `migrate() did ${harmed}, but the verdict is ${verdict}, exit code ${rehearsal.exit}`);
    } else if (harmed !== '{}') {
      agree(findings.length > 0, `migrate() did ${harmed}, but there is no finding`);
    }
    if (app.benign && harmed === '{}') {
      const errors = findings.filter(({ level }) => level === 'error');
      agree(errors.length === 0, `nothing is lost, but there are errors: ${errors.map(({ code, message }) => `${code} ${message}`).join('; ')}`);
    }
  }
  disagreements.push(...differences(contents(at('real.db')), contents(at('rehearsed.db'))));
  agree(JSON.stringify(await fingerprints(production.snapshot)) === JSON.stringify(before), 'the snapshot or what lies beside it changed');
  assert.ok(disagreements.length === 0, `\n${disagreements.map((line) => `- ${line}`).join('\n')}`);
}

/** What the app says must really happen: `{ error, harm }`, the most specific statement that there is. */
function expectation(app, layout, driver) {
  const real = app.real ?? {};
  return real[`${layout} ${driver}`] ?? real[driver] ?? real[layout] ?? real.always ?? {};
}

async function migrateInChild(options) {
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, 'lib/migrate.js'), JSON.stringify(options)]);
  return JSON.parse(stdout);
}

/** SQLite's extended result code, where the driver tells it. */
function extendedCode({ code, raw }) {
  const codes = {
    SQLITE_ERROR: 1,
    SQLITE_CONSTRAINT_CHECK: 275,
    SQLITE_CONSTRAINT_FOREIGNKEY: 787,
    SQLITE_CONSTRAINT_NOTNULL: 1299,
    SQLITE_CONSTRAINT_PRIMARYKEY: 1555,
    SQLITE_CONSTRAINT_TRIGGER: 1811,
    SQLITE_CONSTRAINT_UNIQUE: 2067,
  };
  return codes[code] ?? (typeof raw === 'number' && raw > 0 ? raw : null);
}

async function copyDatabase(from, to) {
  await copyFile(from, to);
  await cp(`${from}-wal`, `${to}-wal`).catch(() => {});
}

/** The name and the hash of every file in the snapshot's folder. */
async function fingerprints(snapshot) {
  const folder = join(snapshot, '..');
  const names = (await readdir(folder)).sort();
  return Promise.all(names.map(async (name) => [name, createHash('sha256').update(await readFile(join(folder, name))).digest('hex')]));
}

function once(make) {
  let made;
  return () => (made ??= make());
}

async function everyApp() {
  const folder = join(import.meta.dirname, 'apps');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.js')).sort();
  return Promise.all(files.map(async (file) => ({ id: file.slice(0, -'.js'.length), ...(await import(join(folder, file))).default })));
}
