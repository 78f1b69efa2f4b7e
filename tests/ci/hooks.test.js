// The hooks, run by the real git and the real pre-commit.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { ENV } from './lib/binary.js';
import { MIGRATIONS, project, write } from './lib/project.js';
import { REPOSITORY } from './lib/runner.js';

const PRE_COMMIT = join(import.meta.dirname, '.cache/python/bin/pre-commit');

function run(folder, command, ...args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, env: ENV, encoding: 'utf8' });
  return { status, log: stdout + stderr };
}

function git(folder, ...args) {
  const result = run(folder, 'git', ...args);
  assert.equal(result.status, 0, result.log);
  return result;
}

function repository(migration) {
  const folder = write(project(migration), { 'notes.txt': 'x\n', '.gitignore': 'prod.sql\n' });
  git(folder, 'init', '--quiet');
  return folder;
}

function withHook(migration) {
  const folder = repository(migration);
  copyFileSync(join(REPOSITORY, 'ci/git/pre-commit'), join(folder, '.git/hooks/pre-commit'));
  git(folder, 'config', 'rehearse.snapshot', 'prod.sql');
  git(folder, 'add', '.');
  return folder;
}

test('the hook of git stops a migration that loses rows', () => {
  const folder = withHook('loses');
  const { status, log } = run(folder, 'git', 'commit', '--message', 'x');
  assert.equal(status, 1, log);
  assert.match(log, /LS104[\s\S]*not committed/);
  git(folder, 'commit', '--no-verify', '--message', 'x');
});

test('the hook of git lets pass what loses nothing, and looks at what is committed only', () => {
  const folder = withHook('passes');
  writeFileSync(join(folder, 'migrations/2_not_staged.sql'), MIGRATIONS.loses);
  git(folder, 'commit', '--message', 'x');
  assert.deepEqual(readdirSync(folder).sort(), ['.git', '.gitignore', 'migrations', 'notes.txt', 'prod.sql']);

  writeFileSync(join(folder, 'migrations/2_not_staged.sql'), MIGRATIONS.passes.replace('note', 'other'));
  git(folder, 'add', '.');
  writeFileSync(join(folder, 'migrations/2_not_staged.sql'), MIGRATIONS.loses);
  git(folder, 'commit', '--message', 'y');
});

test('the hook of git says that it did nothing where there is no snapshot, and is silent where no migration is touched', () => {
  const folder = withHook('loses');
  git(folder, 'config', '--unset', 'rehearse.snapshot');
  assert.match(git(folder, 'commit', '--message', 'x').log, /nothing was rehearsed/);
  git(folder, 'config', 'rehearse.snapshot', 'prod.sql');
  writeFileSync(join(folder, 'notes.txt'), 'y\n');
  assert.doesNotMatch(git(folder, 'commit', '--all', '--message', 'y').log, /rehears/);
});

test('pre-commit runs the hooks of this repository', () => {
  const manifest = parse(readFileSync(join(REPOSITORY, '.pre-commit-hooks.yaml'), 'utf8'));
  assert.deepEqual(manifest.map(({ id, language }) => [id, language]), [['rehearse', 'rust'], ['rehearse-system', 'system']]);
  const hooks = write(repository('passes'), { '.pre-commit-hooks.yaml': stringify(manifest) });
  git(hooks, 'add', '.');
  git(hooks, 'commit', '--quiet', '--message', 'x');
  const revision = git(hooks, 'rev-parse', 'HEAD').log.trim();
  for (const [migration, expected] of [['passes', 0], ['loses', 1], ['fails', 1]]) {
    const folder = repository(migration);
    write(folder, { '.pre-commit-config.yaml': stringify({ repos: [{ repo: hooks, rev: revision, hooks: [{ id: 'rehearse-system', args: ['--snapshot', 'prod.sql'] }] }] }) });
    git(folder, 'add', '.');
    const { status, log } = run(folder, PRE_COMMIT, 'run', '--verbose');
    assert.equal(status, expected, log);
    if (migration === 'loses') assert.match(log, /LS104/);
  }
  const untouched = repository('loses');
  write(untouched, { '.pre-commit-config.yaml': stringify({ repos: [{ repo: hooks, rev: revision, hooks: [{ id: 'rehearse-system' }] }] }) });
  git(untouched, 'add', 'notes.txt', '.pre-commit-config.yaml');
  assert.match(run(untouched, PRE_COMMIT, 'run').log, /Skipped/);
});

test('pre-commit runs the example', () => {
  const example = parse(readFileSync(join(REPOSITORY, 'ci/pre-commit/.pre-commit-config.yaml'), 'utf8'));
  const [hook] = example.repos[0].hooks;
  assert.deepEqual(hook.additional_dependencies.length, 1);
  // npm has not this version before it is released: the command under test stands in its place.
  Object.assign(hook, { language: 'system', args: ['--snapshot', 'prod.sql'] });
  delete hook.additional_dependencies;
  for (const [migration, expected] of [['passes', 0], ['loses', 1]]) {
    const folder = write(repository(migration), { '.pre-commit-config.yaml': stringify(example) });
    git(folder, 'add', '.');
    const { status, log } = run(folder, PRE_COMMIT, 'run', '--verbose');
    assert.equal(status, expected, log);
  }
});
