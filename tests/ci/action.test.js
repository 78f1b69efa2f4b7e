// The action, run as a runner runs it, against a GitHub that is imitated and the real rehearse.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse } from 'yaml';
import { sha256, startGitHub } from './lib/github.js';
import { project, write } from './lib/project.js';
import { REPOSITORY, runAction } from './lib/runner.js';

const BINARY = process.env.REHEARSE;
const VERSION = execFileSync(BINARY, ['--version'], { encoding: 'utf8' }).trim().split(' ').pop();
const started = [];
after(() => started.forEach((github) => github.close()));

async function gitHub(options) {
  const github = await startGitHub(options);
  started.push(github);
  return github;
}

const run = (options) => runAction({ ...options, inputs: { snapshot: 'prod.sql', binary: BINARY, ...options.inputs } });
const annotations = (result) => result.commands.filter(({ name }) => ['error', 'warning', 'notice'].includes(name));

test('migrations that lose nothing pass', async () => {
  const result = await run({ workspace: project('passes') });
  assert.equal(result.exitCode, 0, result.log);
  const { verdict, findings, 'exit-code': code, 'rows-lost': lost } = result.outputs;
  assert.deepEqual({ verdict, findings, code, lost }, { verdict: 'passed', findings: '0', code: '0', lost: '0' });
  assert.deepEqual(annotations(result).filter(({ name }) => name === 'error'), []);
});

test('migrations that lose rows fail after everything was told', async () => {
  const workspace = project('loses');
  const github = await gitHub();
  const inputs = { comment: true, 'sarif-file': 'out/rehearsal.sarif', 'junit-file': 'junit.xml', 'report-html': 'site/report.html' };
  const result = await run({ workspace, inputs, server: github.url });
  assert.equal(result.exitCode, 1, result.log);
  const { verdict, 'exit-code': code, 'rows-lost': lost, ...paths } = result.outputs;
  assert.deepEqual({ verdict, code, lost }, { verdict: 'findings', code: '1', lost: '3' });
  const report = JSON.parse(readFileSync(paths['report-json'], 'utf8'));
  assert.equal(Number(paths.findings), report.findings.length);
  assert.equal(paths['sarif-file'], join(workspace, 'out/rehearsal.sarif'));
  assert.equal(paths['junit-file'], join(workspace, 'junit.xml'));
  assert.equal(paths['report-html'], join(workspace, 'site/report.html'));
  for (const name of ['sarif-file', 'junit-file', 'report-html', 'report-markdown']) {
    assert.ok(readFileSync(paths[name], 'utf8').length > 0, name);
  }
  const markdown = readFileSync(paths['report-markdown'], 'utf8');
  assert.equal(result.summary, markdown);
  assert.ok(github.comments[0].body.includes(markdown));
  const [worst] = annotations(result);
  assert.equal(worst.name, 'error');
  assert.match(worst.properties, /file=migrations\/1_change\.sql,line=2/);
  assert.match(result.log, /LS104/);
});

test('no value of a row is in any report, unless it was asked for', async () => {
  const github = await gitHub();
  const without = await run({ workspace: project('loses'), inputs: { comment: true }, server: github.url });
  const told = (result) => [
    result.log, result.summary, github.comments[0].body,
    ...['report-json', 'report-html', 'report-markdown', 'sarif-file', 'junit-file'].map((name) => readFileSync(result.outputs[name], 'utf8')),
  ].join('\n');
  assert.ok(!told(without).includes('secret title'));
  const asked = await run({ workspace: project('loses'), inputs: { comment: true, samples: 'values' }, server: github.url });
  assert.ok(told(asked).includes('secret title'));
});

test('a migration that fails on the copy is exit code 3', async () => {
  const result = await run({ workspace: project('fails') });
  assert.equal(result.exitCode, 3, result.log);
  assert.equal(result.outputs.verdict, 'failed');
  assert.equal(annotations(result)[0].name, 'error');
  assert.match(result.summary, /nowhere/);
});

test('where no rehearsal was possible, the reason is told', async () => {
  const cases = [
    [{ snapshot: 'missing.db' }, '4', /missing\.db/],
    [{ driver: 'nonsense' }, '2', /unknown driver|no driver|nonsense/],
    [{ args: '--no-such-option' }, '2', /--no-such-option/],
    [{ snapshot: '' }, '2', /no snapshot was given/],
  ];
  for (const [inputs, code, reason] of cases) {
    const github = await gitHub();
    const result = await run({ workspace: project('loses'), inputs: { comment: true, ...inputs }, server: github.url });
    assert.equal(result.exitCode, Number(code), result.log);
    const { verdict, findings, 'exit-code': told, 'rows-lost': lost, 'report-json': json, 'report-html': html, 'sarif-file': sarif } = result.outputs;
    assert.deepEqual(
      { verdict, findings, told, lost, json, html, sarif },
      { verdict: 'error', findings: '', told: code, lost: '', json: '', html: '', sarif: '' },
    );
    assert.match(github.comments[0].body, /^<!-- rehearse:\S+ -->\n\*\*No rehearsal was possible\*\*/);
    for (const text of [github.comments[0].body, result.summary, annotations(result)[0].text]) assert.match(text, reason);
    assert.ok(!github.comments[0].body.includes('\u001b'));
  }
});

test('fail-on, args and the configuration reach rehearse', async () => {
  const never = await run({ workspace: project('loses'), inputs: { 'fail-on': 'never' } });
  assert.deepEqual([never.exitCode, never.outputs.verdict, never.outputs['rows-lost']], [0, 'findings', '3'], never.log);
  const level = await run({ workspace: project('loses'), inputs: { args: '--level=LS104=note\r\n\n--thorough\n' } });
  assert.equal(level.exitCode, 0, level.log);
  const workspace = write(project('loses'), { 'strict.yaml': 'allow:\n  - rule: LS104\n    table: posts\n    because: it was agreed\n' });
  const waived = await run({ workspace, inputs: { config: 'strict.yaml' } });
  assert.deepEqual([waived.exitCode, waived.outputs.findings], [0, '0'], waived.log);
});

test('a snapshot can come from a command', async () => {
  const inputs = { snapshot: '', 'snapshot-command': 'cat prod.sql' };
  const result = await run({ workspace: project('loses'), inputs });
  assert.equal(result.outputs['rows-lost'], '3', result.log);
});

test('an app in a folder of the repository is rehearsed there', async () => {
  const result = await run({ workspace: project('loses', { below: 'apps/shop' }), inputs: { 'working-directory': 'apps/shop' } });
  assert.equal(result.outputs['rows-lost'], '3', result.log);
  assert.match(annotations(result)[0].properties, /file=apps\/shop\/migrations\/1_change\.sql,/);
  const missing = await run({ workspace: project('loses'), inputs: { 'working-directory': 'nowhere' } });
  assert.notEqual(missing.exitCode, 0);
  assert.match(annotations(missing)[0].text, /`working-directory` is no folder: nowhere/);
});

test('the comment is written once and then over', async () => {
  const github = await gitHub();
  const folder = mkdtempSync(join(tmpdir(), 'runner-'));
  for (const migration of ['loses', 'passes']) {
    await run({ workspace: project(migration), inputs: { comment: true }, server: github.url, folder });
  }
  assert.equal(github.comments.length, 1);
  assert.ok(github.requests.some((request) => request.startsWith('PATCH ')));
  assert.match(github.comments[0].body, /^<!-- rehearse:CI\/rehearse\/\. -->\n/);
  assert.match(github.comments[0].body, /acme\/shop\/actions\/runs\/42.*0123456\b/);
});

test('two rehearsals have two comments', async () => {
  const github = await gitHub();
  const run_ = (inputs, job = 'rehearse') =>
    run({ workspace: project('passes'), inputs: { comment: true, ...inputs }, github: { job }, server: github.url });
  await run_({});
  await run_({}, 'other');
  await run_({ 'comment-key': 'users.db' });
  await run_({ 'comment-key': 'users.db' });
  assert.equal(github.comments.length, 3);
});

test('the comment is found behind a hundred others, and only its own', async () => {
  const github = await gitHub();
  const marker = '<!-- rehearse:CI/rehearse/. -->';
  const forged = github.add('mallory', `${marker}\nforged`);
  const quoted = github.add('github-actions[bot]', `> ${marker}\nquoted`);
  const other = github.add('github-actions[bot]', '<!-- rehearse:CI/rehearse/.2 -->\nother');
  for (let number = 0; number < 230; number += 1) github.add('someone', `comment ${number}`);
  const own = github.add('github-actions[bot]', `${marker}\nold`);
  for (let number = 0; number < 30; number += 1) github.add('someone', `later comment ${number}`);
  await run({ workspace: project('loses'), inputs: { comment: true }, server: github.url });
  assert.equal(github.comments.length, 264);
  assert.notEqual(own.body, `${marker}\nold`);
  assert.deepEqual([forged, quoted, other].map(({ body }) => body.split('\n')[1]), ['forged', 'quoted', 'other']);
});

test('exactly a hundred comments are no endless search', async () => {
  const github = await gitHub();
  for (let number = 0; number < 100; number += 1) github.add('someone', 'x');
  await run({ workspace: project('loses'), inputs: { comment: true }, server: github.url });
  assert.equal(github.comments.length, 101);
});

test('a token that can only read is a notice, and the verdict stays', async () => {
  const github = await gitHub({ readOnly: true });
  const result = await run({ workspace: project('loses'), inputs: { comment: true }, server: github.url });
  assert.equal(result.exitCode, 1, result.log);
  const notice = annotations(result).find(({ name, properties }) => name === 'notice' && properties === 'title=rehearse');
  assert.match(notice.text, /no comment was written.*HTTP 403.*fork/s);
  assert.equal(github.comments.length, 0);
});

test('a GitHub that is down or wrong changes no verdict', async () => {
  const github = await gitHub();
  for (const [status, told] of [[503, 'HTTP 503'], [200, undefined], [401, 'HTTP 401']]) {
    github.status = status;
    const result = await run({ workspace: project('passes'), inputs: { comment: true }, server: github.url });
    assert.equal(result.exitCode, 0, result.log);
    if (told) assert.match(annotations(result).map(({ text }) => text).join('\n'), new RegExp(told));
  }
  const nobody = await run({ workspace: project('passes'), inputs: { comment: true } });
  assert.equal(nobody.exitCode, 0, nobody.log);
});

test('a comment is for pull requests of the repository only', async () => {
  const github = await gitHub();
  for (const event_name of ['push', 'schedule', 'pull_request_target']) {
    const result = await run({ workspace: project('passes'), inputs: { comment: true }, github: { event_name, event: {} }, server: github.url });
    assert.equal(result.exitCode, 0, result.log);
    const warned = annotations(result).some(({ text }) => text.includes('pull_request_target'));
    assert.equal(warned, event_name === 'pull_request_target');
  }
  await run({ workspace: project('passes'), server: github.url });
  assert.deepEqual(github.requests, []);
});

test('the token is in no argument, no log and no file that stays', async () => {
  const github = await gitHub({ token: 'ghs_hidden' });
  const result = await run({ workspace: project('loses'), inputs: { comment: true, 'github-token': 'ghs_hidden' }, server: github.url });
  assert.equal(github.comments.length, 1, result.log);
  assert.throws(() => execFileSync('grep', ['-rl', 'ghs_hidden', result.folder]), { status: 1 });
  assert.ok(!result.log.includes('ghs_hidden'));
});

const HOSTILE = [
  '"; touch hacked; "', '$(touch hacked)', '`touch hacked`', "'; touch hacked; '", 'x\ntouch hacked', 'x\nverdict=passed\nexit-code=0',
  '::error::forged', '%0A::error::forged', '--> <script>alert(1)</script>', '-', '--help', '*', '${{ github.token }}',
];

test('hostile inputs do nothing', async () => {
  for (const text of HOSTILE) {
    for (const name of ['snapshot', 'migrations', 'tool', 'driver', 'fail-on', 'config', 'samples', 'args', 'working-directory', 'version', 'binary']) {
      const workspace = project('loses');
      const result = await run({ workspace, inputs: { [name]: text } });
      assert.ok(!existsSync(join(workspace, 'hacked')), `${name}: ${text}`);
      assert.ok(!result.commands.some(({ text: told, name: command }) => command === '##' || told === 'forged'), `${name}: ${result.log}`);
      if (text !== '--help' && name !== 'version') assert.notEqual(result.outputs.verdict, 'passed', `${name}: ${text}`);
    }
  }
});

test('hostile places of reports and keys do nothing', async () => {
  for (const text of HOSTILE) {
    const workspace = project('loses');
    const github = await gitHub();
    const result = await run({ workspace, inputs: { 'sarif-file': text, comment: true, 'comment-key': text }, server: github.url });
    assert.ok(!existsSync(join(workspace, 'hacked')), text);
    assert.deepEqual([result.exitCode, result.outputs.verdict], [1, 'findings'], `${text}: ${result.log}`);
    assert.equal(result.outputs['sarif-file'], join(workspace, text), text);
    assert.match(github.comments[0].body, /^<!-- rehearse:[A-Za-z0-9._/-]+ -->\n/, text);
  }
});

test('hostile names of files and tables do nothing', async () => {
  const name = '1_$(touch hacked)`touch hacked`"\';%0A::error::forged,line=9\n::error::forged.sql';
  const workspace = project('-- +goose Up\nDROP TABLE posts; CREATE TABLE "::error::forged\n::error::forged@everyone<script>" (x);', { name });
  const github = await gitHub();
  const result = await run({ workspace, inputs: { comment: true }, server: github.url });
  assert.equal(result.exitCode, 1, result.log);
  assert.ok(!existsSync(join(workspace, 'hacked')));
  assert.ok(!result.commands.some(({ text }) => text.startsWith('forged')), result.log);
  assert.ok(!github.comments[0].body.includes('\n::error'));
});

// Releases

const TARGET = `rehearse-${VERSION}-x86_64-unknown-linux-gnu`;

/** The files of a release, with a program in the archive that leads to the real one. */
function release({ checksum, content } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'release-'));
  write(folder, { [`${TARGET}/README.md`]: 'x' });
  symlinkSync(BINARY, join(folder, TARGET, 'link'));
  writeFileSync(join(folder, TARGET, 'rehearse'), `#!/bin/sh\nexec '${BINARY}' "$@"\n`, { mode: 0o755 });
  const archive = content ?? execFileSync('tar', ['-C', folder, '-cz', TARGET]);
  return {
    [`v${VERSION}/${TARGET}.tar.gz`]: archive,
    [`v${VERSION}/SHA256SUMS`]: `${'0'.repeat(64)}  rehearse-${VERSION}-aarch64-apple-darwin.tar.gz\n${checksum ?? sha256(archive)}  ${TARGET}.tar.gz\n`,
  };
}

test('the release of the action is fetched once and checked', async () => {
  const github = await gitHub({ files: release() });
  const first = await run({ workspace: project('loses'), inputs: { binary: '' }, server: github.url });
  assert.equal(first.exitCode, 1, first.log);
  assert.equal(first.outputs.verdict, 'findings');
  assert.equal(github.requests.length, 2);
  const again = await run({ workspace: project('passes'), inputs: { binary: '', version: `v${VERSION}` }, server: github.url, folder: first.folder });
  assert.equal(again.exitCode, 0, again.log);
  assert.equal(github.requests.length, 2);
});

test('what is not what was released does not run', async () => {
  const wrong = [
    [release({ checksum: 'a'.repeat(64) }), /is not what was released/],
    [{ ...release(), [`v${VERSION}/SHA256SUMS`]: '' }, /SHA256SUMS says nothing of it/],
    [{ ...release(), [`v${VERSION}/SHA256SUMS`]: undefined }, /could not be fetched.*SHA256SUMS/],
    [{}, /could not be fetched/],
  ];
  for (const [files, why] of wrong) {
    const github = await gitHub({ files });
    const result = await run({ workspace: project('loses'), inputs: { binary: '' }, server: github.url });
    assert.notEqual(result.exitCode, 0);
    assert.match(annotations(result)[0].text, why);
    assert.equal(result.steps.length, 1, 'nothing else ran');
    assert.ok(!existsSync(join(result.folder, 'tools', 'rehearse', VERSION, 'X64', 'rehearse')));
  }
});

test('a runner without a release, a wrong version and a wrong binary are said clearly', async () => {
  const cases = [
    [{ env: { RUNNER_OS: 'Windows' }, inputs: { binary: '' } }, /no release of rehearse for Windows on X64/],
    [{ env: { RUNNER_ARCH: 'ARM' }, inputs: { binary: '' } }, /no release of rehearse for Linux on ARM/],
    [{ inputs: { binary: '', version: '../../evil' } }, /`version` is no version/],
    [{ inputs: { binary: 'README.md' } }, /`binary` is no program: README\.md/],
  ];
  for (const [options, why] of cases) {
    const result = await run({ workspace: project('passes'), ...options });
    assert.equal(result.exitCode, 4);
    assert.match(annotations(result)[0].text, why);
  }
});

// The file itself

test('no input and no context is in the text of a script', () => {
  const action = parse(readFileSync(join(REPOSITORY, 'action.yml'), 'utf8'));
  for (const step of action.runs.steps) {
    assert.ok(!step.run.includes('${{'), step.run);
    assert.equal(step.shell, 'bash');
  }
  const text = JSON.stringify(action.runs.steps.map(({ env }) => env));
  for (const name of Object.keys(action.inputs)) {
    if (name !== 'comment') assert.ok(text.includes(`\${{ inputs.${name} }}`), `${name} is used`);
  }
});
