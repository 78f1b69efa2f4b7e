// The Dockerfile, built for real by buildah on a small base in place of the image that it names; and its entry point.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { BINARY, ENV } from './lib/binary.js';
import { DUMP, project, write } from './lib/project.js';
import { REPOSITORY } from './lib/runner.js';

const lacks = ['buildah', 'busybox'].filter((tool) => spawnSync('which', [tool]).status !== 0);
const skip = lacks.length > 0 && `${lacks.join(' and ')} not installed`;
const scratch = mkdtempSync(join(tmpdir(), 'images-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

function buildah(...args) {
  return spawnSync('buildah', ['--root', join(scratch, 'store'), '--runroot', join(scratch, 'run'), ...args], {
    encoding: 'utf8', env: { ...process.env, STORAGE_DRIVER: 'vfs', BUILDAH_ISOLATION: 'chroot' },
  });
}

function mustBuildah(...args) {
  const { status, stdout, stderr } = buildah(...args);
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

/** An image with a shell, the rehearse under test with its libraries, and an npm that installs nothing but this. */
function makeBase() {
  const root = join(scratch, 'root');
  const install = (file, to = file) => {
    mkdirSync(dirname(join(root, to)), { recursive: true });
    copyFileSync(file, join(root, to));
  };
  install(execFileSync('which', ['busybox'], { encoding: 'utf8' }).trim(), '/bin/busybox');
  for (const name of ['sh', 'cat', 'mkdir', 'ls', 'test']) symlinkSync('busybox', join(root, 'bin', name));
  mkdirSync(join(root, 'tmp'));
  install(BINARY, '/opt/rehearse');
  for (const [, library] of execFileSync('ldd', [BINARY], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g)) install(library);
  write(root, { 'bin/npm': '#!/bin/sh\ncase "$*" in "install --global "*rehearse-sqlite@*) busybox ln -s /opt/rehearse /bin/rehearse ;; *) exit 1 ;; esac\n' });
  execFileSync('chmod', ['755', join(root, 'bin/npm')]);
  const container = mustBuildah('from', 'scratch');
  mustBuildah('copy', '--quiet', container, root, '/');
  mustBuildah('config', '--env', 'PATH=/bin', container);
  mustBuildah('commit', '--quiet', container, 'node:22-bookworm-slim');
}

function build(migration, target, { snapshot = DUMP, output } = {}) {
  const context = write(project(migration), { 'server.js': '' });
  rmSync(join(context, 'prod.sql'));
  // The snapshot is a dump here, under the name that the snippet has.
  const folder = write(mkdtempSync(join(tmpdir(), 'snapshot-')), { 'prod.db': snapshot });
  const { status, stdout, stderr } = buildah(
    'bud', '--pull=never', '--no-cache', '--build-context', `snapshot=${folder}`, '--file', join(REPOSITORY, 'ci/docker/Dockerfile'),
    '--target', target, ...(output ? ['--output', output] : ['--tag', 'app']), context,
  );
  return { status, log: stdout + stderr };
}

test('an image is made of migrations that lose nothing, and of no others', { skip }, () => {
  makeBase();
  const passed = build('passes', 'app');
  assert.equal(passed.status, 0, passed.log);
  const container = mustBuildah('from', '--pull=never', 'localhost/app');
  // Nothing of the snapshot is in the image.
  const all = mustBuildah('run', container, '--', 'sh', '-c', 'busybox grep -rl "secret title" /app /rehearsal /snapshot /tmp 2>/dev/null; true');
  assert.equal(all, '');

  const refused = build('loses', 'app');
  assert.notEqual(refused.status, 0, refused.log);
  assert.match(refused.log, /LS104/);
  const broken = build('passes', 'app', { snapshot: 'nonsense' });
  assert.notEqual(broken.status, 0, broken.log);

  const reports = join(scratch, 'reports');
  const told = build('loses', 'report', { output: reports });
  assert.equal(told.status, 0, told.log);
  assert.equal(readFileSync(join(reports, 'exit-code'), 'utf8'), '1\n');
  assert.equal(JSON.parse(readFileSync(join(reports, 'rehearsal.json'), 'utf8')).verdict, 'findings');
  assert.ok(existsSync(join(reports, 'rehearsal.html')));
});

test('the entry point starts the app only where its migrations go well', () => {
  const start = (migration, database) => spawnSync(join(REPOSITORY, 'ci/docker/entrypoint.sh'), ['echo', 'the app', 'starts'], {
    cwd: project(migration), env: { ...ENV, DATABASE_PATH: database }, encoding: 'utf8',
  });
  assert.deepEqual([start('passes', 'prod.sql').status, start('passes', 'prod.sql').stdout.endsWith('the app starts\n')], [0, true]);
  const refused = start('loses', 'prod.sql');
  assert.equal(refused.status, 1);
  assert.match(refused.stdout, /LS104/);
  assert.ok(!refused.stdout.includes('the app'));
  assert.match(refused.stderr, /the app does not start/);
  assert.equal(start('loses', 'not-there-yet.db').stdout, 'the app starts\n');
});
