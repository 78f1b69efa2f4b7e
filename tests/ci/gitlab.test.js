// The pipeline of GitLab, run by gitlab-ci-local with its executor for shells.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { ENV } from './lib/binary.js';
import { project, write } from './lib/project.js';
import { REPOSITORY } from './lib/runner.js';

const COMMAND = join(import.meta.dirname, 'node_modules/.bin/gitlab-ci-local');
const skip = spawnSync('which', ['rsync']).status !== 0 && 'rsync is not installed';

// npm has not this version before it is released: an npm that only takes down what it is asked for, and rehearse is in PATH.
const commands = mkdtempSync(join(tmpdir(), 'npm-'));
writeFileSync(join(commands, 'npm'), `#!/bin/sh\necho "$@" >>'${commands}/asked'\n`, { mode: 0o755 });

function pipeline(migration, { url, variables = [] } = {}) {
  const text = readFileSync(join(REPOSITORY, 'ci/gitlab/rehearse.gitlab-ci.yml'), 'utf8');
  const snapshot = join(mkdtempSync(join(tmpdir(), 'snapshot-')), 'snapshot.db');
  const { rehearse } = parse(text.replaceAll('/tmp/snapshot.db', snapshot));
  // gitlab-ci-local keeps of the reports only dotenv: the others are kept here as plain artifacts.
  const { junit, codequality } = rehearse.artifacts.reports;
  rehearse.artifacts.paths.push(junit, codequality);
  const folder = write(project(migration), { '.gitlab-ci.yml': stringify({ rehearse }) });
  for (const args of [
    ['init', '--quiet', '--initial-branch=main'], ['add', '.'], ['commit', '--quiet', '--message', 'x'],
    ['remote', 'add', 'origin', 'git@gitlab.example.org:acme/shop.git'],
  ]) {
    assert.equal(spawnSync('git', args, { cwd: folder, env: ENV }).status, 0);
  }
  const given = { REHEARSAL_SNAPSHOT_URL: url ?? `file://${folder}/prod.sql`, CI_PIPELINE_SOURCE: 'schedule', ...variables };
  const { status, stdout, stderr } = spawnSync(
    COMMAND,
    ['--force-shell-executor', ...Object.entries(given).flatMap(([name, text]) => ['--variable', `${name}=${text}`]), 'rehearse'],
    { cwd: folder, env: { ...ENV, PATH: `${commands}:${ENV.PATH}` }, encoding: 'utf8' },
  );
  const artifact = (name) => {
    const file = join(folder, '.gitlab-ci-local/artifacts/rehearse', name);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  };
  return { status, log: stdout + stderr, artifact };
}

test('migrations that lose nothing pass', { skip }, () => {
  const { status, log, artifact } = pipeline('passes');
  assert.equal(status, 0, log);
  assert.equal(JSON.parse(artifact('rehearsal.json')).verdict, 'passed');
  assert.match(readFileSync(join(commands, 'asked'), 'utf8'), /^install --global .*rehearse-sqlite@\d/);
});

test('migrations that lose rows fail, and the artifacts are there', { skip }, () => {
  const { status, log, artifact } = pipeline('loses');
  assert.notEqual(status, 0, log);
  assert.match(log, /LS104/);
  assert.equal(JSON.parse(artifact('rehearsal.json')).verdict, 'findings');
  assert.match(artifact('rehearsal.html'), /LS104/);
  assert.match(artifact('rehearsal.xml'), /<testsuites/);
  assert.ok(JSON.parse(artifact('rehearsal.codequality.json')).length > 0);
  // GitLab takes letters, digits and underscores as names, and no empty lines.
  for (const line of artifact('.gitlab-ci-reports/dotenv/rehearsal.env').trimEnd().split('\n')) assert.match(line, /^\w+=\S*$/);
});

test('where no rehearsal was possible the job fails, and no empty report is left', { skip }, () => {
  const { status, log, artifact } = pipeline('loses', { url: 'file:///nowhere/prod.sql' });
  assert.notEqual(status, 0, log);
  assert.match(log, /nowhere/);
  assert.equal(artifact('rehearsal.json'), undefined);
});
