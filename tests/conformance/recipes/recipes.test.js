// Every tool whose command rehearse runs: what the command by itself does to the database, and what rehearse says and does.
import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { differences, execute, harm } from '../lib/database.js';
import { run } from './lib/command.js';
import { fingerprint, lay, textOf } from './lib/files.js';
import { outcome } from './lib/outcome.js';
import tools from './tools.js';

const HERE = import.meta.dirname;
const BINARY = process.env.REHEARSE;
const workspace = await mkdtemp(join(tmpdir(), 'rehearse-recipes-'));
const PATH = [join(HERE, 'bin'), join(HERE, '.cache/python/bin'), process.env.PATH].join(':');
let failed = false;

describe('rehearse does what the command of the tool does', { concurrency: 2 }, () => {
  for (const tool of tools) {
    const production = once(() => makeProduction(tool));
    for (const [name, expected] of Object.entries(tool.cases)) {
      const title = `${tool.name}: ${expected.title}${tool.skip ? ` (skipped: ${tool.skip})` : ''}`;
      test(title, { skip: Boolean(tool.skip) }, async () => {
        await check(tool, name, expected, await production()).catch((error) => {
          failed = true;
          throw error;
        });
      });
    }
  }
});

after(async () => {
  if (failed) console.error(`the projects, databases and reports are kept in ${workspace}`);
  else await rm(workspace, { recursive: true });
});

/** The project as it was at the last deploy, and the database that the real tool made then, with data in it. */
async function makeProduction(tool) {
  const folder = join(workspace, tool.id);
  const base = join(HERE, 'projects', tool.project ?? tool.id, 'project');
  await mkdir(folder);
  const project = join(folder, 'then');
  await lay([base], project, tool.packages);
  const database = join(folder, tool.fileName ?? 'production.db');
  await copyEmpty(database, tool);
  const real = await runReal(tool, tool.exec, project, database);
  assert.equal(real.exit, 0, `the history must be applied without an error: ${real.said}`);
  execute(database, tool.seed);
  return { folder, base, snapshot: database };
}

async function copyEmpty(database, tool) {
  if (tool.prepare) execute(database, tool.prepare);
}

/** The command by itself: what stands for the copy is put in as a person would. */
async function runReal(tool, exec, project, database) {
  const place = tool.at ? join(project, tool.at) : database;
  if (tool.at) await copyDatabase(database, place);
  const env = Object.fromEntries(Object.entries(tool.env ?? {}).map(([name, value]) => [name, fill(tool, value, place)]));
  const ran = await run('sh', ['-c', fill(tool, exec, place)], { cwd: project, env: { PATH, ...tool.always, ...env } });
  if (tool.at) await copyDatabase(place, database);
  return ran;
}

function fill(tool, text, database) {
  const url = (tool.url ?? 'file:{db}').replace('{db}', database);
  return text.replaceAll('{db_url}', url).replaceAll('{db_dir}', join(database, '..')).replaceAll('{db}', database);
}

async function check(tool, name, expected, production) {
  const folder = join(production.folder, name);
  const at = (path) => join(folder, path);
  const exec = expected.exec ?? tool.exec;
  const folders = [production.base, ...(expected.files ?? [name]).map((files) => join(production.base, '..', files))];
  await mkdir(at('real'), { recursive: true });
  await mkdir(at('snapshot'));
  await lay(folders, at('really'), tool.packages);
  await lay(folders, at('project'), tool.packages);
  const file = tool.fileName ?? 'production.db';
  await copyDatabase(production.snapshot, at(`snapshot/${file}`));
  await copyDatabase(production.snapshot, at(`real/${file}`));

  // What really happens.
  const real = await runReal(tool, exec, at('really'), at(`real/${file}`));
  if (expected.fails) assert.ok(real.exit !== 0 && expected.fails.test(real.said), `the real command: ${real.exit} ${real.said}`);
  else assert.equal(real.exit, 0, `the real command: ${real.said}`);
  const done = Object.entries(harm(at(`snapshot/${file}`), at(`real/${file}`))).filter(([fact]) => !tool.ledger?.includes(fact.split(/[ .]/)[0]));
  assert.deepEqual(Object.fromEntries(done), expected.harm ?? {}, 'what the real command did to the data');
  for (const suffix of ['-wal', '-shm']) await rm(at(`snapshot/${file}${suffix}`), { force: true });
  if (BINARY === 'none') return;

  // What rehearse makes of it.
  const before = [await fingerprint(at('project')), await fingerprint(at('snapshot'))];
  const args = ['--snapshot', at(`snapshot/${file}`), '--exec', exec, '--keep-copy', at('rehearsed.db'), '--report', `json=${at('report.json')}`];
  const ran = await run(BINARY, [...args, ...(expected.arguments ?? [])], { cwd: at('project'), env: { PATH, ...tool.always } });
  const report = await readFile(at('report.json'), 'utf8').then(JSON.parse).catch(() => null);
  assert.ok(report, `no report was written, exit code ${ran.exit}: ${ran.stderr}`);
  const wrong = [];
  const equal = (found, wanted, what) => {
    const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)];
    if (left !== right) wrong.push(`${what}: ${left}, expected ${right}`);
  };
  const exit = expected.exit ?? (expected.fails ? 3 : expected.finds?.some(({ level }) => (level ?? 'error') === 'error') ? 1 : 0);
  equal(ran.exit, exit, 'exit code');
  equal(report.verdict, ['passed', 'findings', undefined, 'failed'][exit], 'verdict');
  const { command } = report.execution;
  equal(command.traced, expected.traced ?? tool.traced, 'traced');
  equal(report.plan.decisions.find(({ what }) => what === 'recipe')?.value, tool.recipe, 'recipe');
  if (expected.pending) equal(report.plan.pending.map((migration) => migration.name), expected.pending, 'pending');
  const found = report.findings.map(({ code, table, rows }) => [code, table ?? null, rows ?? null].join(' '));
  const failure = expected.fails && { code: expected.code ?? ((expected.traced ?? tool.traced) ? 'EX602' : 'EX601') };
  const finds = [expected.finds, tool.snapshotFinds, failure].flat().filter(Boolean);
  for (const wanted of finds) {
    const finding = report.findings.find(
      ({ code, table, rows }) => code === wanted.code && (!wanted.table || wanted.table === table) && (!wanted.rows || wanted.rows === rows),
    );
    if (!finding) {
      wrong.push(`no ${JSON.stringify(wanted)} in ${JSON.stringify(found)}`);
      continue;
    }
    if (wanted.sql && (expected.traced ?? tool.traced) && !wanted.sql.test(finding.statement ?? '')) {
      wrong.push(`${finding.code} names ${JSON.stringify(finding.statement)}, expected ${wanted.sql}`);
    }
  }
  // What the finding says to write is what the project with the help has in it, and that is run too.
  const helped = expected.helpedBy ?? (name === 'rebuild' && tool.cases.helped && 'helped');
  const help = helped && report.findings.find(({ code }) => code === 'LS102')?.help.join('\n').split('\n').slice(1);
  if (help) {
    const written = await textOf(join(production.base, '..', helped));
    const lines = help.map((line) => line.trim().replace(/[,;]$/, '')).filter((line) => !/^(\/\/|#|$)/.test(line));
    equal(lines.filter((line) => !written.includes(line)), [], 'lines of the help that the helped project lacks');
  }
  // How long it takes is the machine's affair.
  const timed = ['RS701', 'RS702', 'RS707', 'RS708'];
  const may = [...timed, ...(expected.may ?? [])];
  const surplus = report.findings.filter(({ code }) => !finds.some((wanted) => wanted.code === code) && !may.includes(code));
  equal(surplus.map(({ code, message }) => `${code} ${message}`), [], 'other findings');
  wrong.push(
    ...differences(
      await outcome(at(`real/${file}`), tool.volatile ?? {}, at('real-compared.db')),
      await outcome(at('rehearsed.db'), tool.volatile ?? {}, at('rehearsed-compared.db')),
    ),
  );
  equal([await fingerprint(at('project')), await fingerprint(at('snapshot'))], before, 'the project and the folder of the snapshot');
  assert.ok(wrong.length === 0, `\n${wrong.map((line) => `- ${line}`).join('\n')}\n${ran.stdout}${ran.stderr}`);
}

async function copyDatabase(from, to) {
  for (const suffix of ['', '-wal']) {
    await rm(`${to}${suffix}`, { force: true });
    await copyFile(`${from}${suffix}`, `${to}${suffix}`).catch(() => {});
  }
}

function once(make) {
  let made;
  return () => (made ??= make());
}
