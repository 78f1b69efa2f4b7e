'use strict';

// The npm packages: packed, installed into a new project without a registry, and used.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { REHEARSE, ROOT, TARGET, VERSION, folder, run } = require('./support.js');

const NAME = 'rehearse-sqlite';
const PLATFORM = `@${NAME}/${process.platform}-${process.arch}`;

const packed = run(path.join(ROOT, 'npm/build'), [folder('packed'), `${TARGET}=${REHEARSE}`]);
assert.equal(packed.code, 0, packed.err);
const [platformPackage, mainPackage] = packed.out.trim().split('\n');

const app = folder('an app');
const temporary = folder('temporary');
const env = { ...process.env, TMPDIR: temporary, npm_config_update_notifier: 'false', npm_config_yes: 'false', npm_config_offline: 'true' };
const inApp = (command, args, options) => run(command, args, { cwd: app, env, ...options });

fs.writeFileSync(path.join(app, 'package.json'), '{ "name": "app", "private": true, "scripts": { "rehearse": "rehearse" } }\n');
const installed = inApp('npm', ['install', '--no-audit', '--no-fund', '--save-dev', platformPackage, mainPackage]);
assert.equal(installed.code, 0, installed.all);

const launcher = path.join(app, 'node_modules/.bin/rehearse');
const rehearse = (args, options) => inApp(launcher, args, options);

test('the packages hold what they need and nothing else', () => {
  const files = (archive) => run('tar', ['-tzf', archive]).out.trim().split('\n').sort();
  const licences = ['package/LICENSE-APACHE', 'package/LICENSE-MIT', 'package/README.md'];
  assert.deepEqual(files(platformPackage), [...licences, 'package/THIRD-PARTY.md', 'package/bin/rehearse', 'package/package.json'].sort());
  assert.deepEqual(files(mainPackage), [...licences, 'package/bin/rehearse.js', 'package/package.json'].sort());
  const modes = run('tar', ['-tvzf', platformPackage]).out;
  assert.match(modes, /^-rwxr-xr-x .*bin\/rehearse$/m);
});

test('every platform of one version is an optional dependency, and no script runs at installation', () => {
  const main = JSON.parse(fs.readFileSync(path.join(app, 'node_modules', NAME, 'package.json')));
  assert.deepEqual(Object.keys(main.optionalDependencies), ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'].map((one) => `@${NAME}/${one}`));
  assert.deepEqual(new Set([main.version, ...Object.values(main.optionalDependencies)]), new Set([VERSION]));
  const platform = JSON.parse(fs.readFileSync(path.join(app, 'node_modules', PLATFORM, 'package.json')));
  assert.deepEqual([platform.version, platform.os, platform.cpu], [VERSION, [process.platform], [process.arch]]);
  assert.deepEqual([main.scripts, platform.scripts], [undefined, undefined]);
});

test('npx finds it', () => {
  assert.equal(inApp('npx', ['rehearse', '--version']).out, `rehearse ${VERSION}\n`);
  assert.equal(inApp('npx', [NAME, '--version']).out, `rehearse ${VERSION}\n`);
});

test('the demo finds its loss', () => {
  const ran = inApp('npx', ['rehearse', 'demo']);
  assert.match(ran.out, /`posts` lost 100 of 100 rows/);
  assert.equal(ran.code, run(REHEARSE, ['demo'], { env }).code);
});

const MIGRATIONS = {
  passes: 'CREATE TABLE other (id INTEGER);',
  loses: 'DROP TABLE users;',
  fails: 'INSERT INTO nowhere VALUES (1);',
};
const DUMP = "CREATE TABLE users (id INTEGER PRIMARY KEY);\nINSERT INTO users VALUES (1);\n";
fs.writeFileSync(path.join(app, 'prod copy.sql'), DUMP);
for (const [name, sql] of Object.entries(MIGRATIONS)) {
  fs.mkdirSync(path.join(app, name));
  fs.writeFileSync(path.join(app, name, '1.sql'), sql);
}
const as = (migrations) => ['--migrations', migrations, '--tool', 'sql', '--driver', 'sqlite'];

test('exit codes pass through', () => {
  const snapshot = ['--snapshot', 'prod copy.sql'];
  assert.equal(rehearse([...snapshot, ...as('passes')]).code, 0);
  assert.equal(rehearse([...snapshot, ...as('loses')]).code, 1);
  assert.equal(rehearse(['--wrong']).code, 2);
  assert.equal(rehearse([...snapshot, ...as('fails')]).code, 3);
  assert.equal(rehearse(['--snapshot', 'nowhere.db', ...as('passes')]).code, 4);
});

test('standard input is passed on', () => {
  const ran = rehearse(['--snapshot', '-', ...as('loses')], { input: DUMP });
  assert.equal(ran.code, 1, ran.all);
  assert.match(ran.out, /users/);
});

test('arguments arrive as they are', () => {
  const odd = `a b'"$HOME\\*é`;
  assert.equal(rehearse(['explain', odd]).err, run(REHEARSE, ['explain', odd]).err);
});

/** Starts a rehearsal that waits for its snapshot, and gives it when it does. */
async function waiting(command, args) {
  const started = path.join(folder('started'), 'pid');
  const snapshot = `echo $$ >'${started}'; exec sleep 1000.25`;
  const child = spawn(command, [...args, '--snapshot-command', snapshot, ...as('passes')], { cwd: app, env, stdio: 'ignore', detached: true });
  const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
  while (!fs.existsSync(started) || fs.readFileSync(started, 'utf8') === '') {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const sleeper = Number(fs.readFileSync(started, 'utf8'));
  return { child, ended, sleeper };
}

function isRunning(pid) {
  const state = run('ps', ['-o', 'stat=', '-p', String(pid)]).out.trim();
  return state !== '' && !state.startsWith('Z');
}

async function interrupted(begun, send) {
  const { child, ended, sleeper } = await begun;
  send(child.pid);
  assert.deepEqual(await ended, { code: 130, signal: null });
  while (isRunning(sleeper)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.deepEqual(fs.readdirSync(temporary).filter((name) => name.startsWith('rehearse')), []);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  test(`${signal} is passed on and nothing is left behind`, { timeout: 60_000 }, () =>
    interrupted(waiting(launcher, []), (pid) => process.kill(pid, signal)));
}

test('Ctrl-C, which a terminal sends to every process, leaves nothing behind', { timeout: 60_000 }, () =>
  interrupted(waiting(launcher, []), (pid) => process.kill(-pid, 'SIGINT')));

test('Ctrl-C in npm run leaves nothing behind', { timeout: 60_000 }, async () => {
  const { child, ended, sleeper } = await waiting('npm', ['run', '--silent', 'rehearse', '--']);
  process.kill(-child.pid, 'SIGINT');
  await ended;
  while (isRunning(sleeper) || fs.readdirSync(temporary).some((name) => name.startsWith('rehearse'))) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

test('it dies of the signal that its binary died of', { timeout: 60_000 }, async () => {
  const { child, ended, sleeper } = await waiting(launcher, []);
  const binary = Number(run('ps', ['-o', 'pid=', '--ppid', String(child.pid)]).out);
  process.kill(binary, 'SIGKILL');
  assert.deepEqual(await ended, { code: null, signal: 'SIGKILL' });
  process.kill(sleeper, 'SIGKILL');
  for (const left of fs.readdirSync(temporary)) {
    fs.rmSync(path.join(temporary, left), { recursive: true });
  }
});

test('a missing platform package is explained', () => {
  const place = path.join(app, 'node_modules', PLATFORM);
  fs.renameSync(place, `${place}.away`);
  try {
    const ran = rehearse(['--version']);
    assert.equal(ran.code, 4);
    assert.match(ran.err, new RegExp(`^error: the package \`${PLATFORM}\`, .* is not installed\nhint: .*--omit=optional`));
    assert.ok(ran.err.includes(`npm install --save-dev ${PLATFORM}@${VERSION}\n`));
  } finally {
    fs.renameSync(`${place}.away`, place);
  }
});

test('an unknown platform is explained', () => {
  for (const [platform, hint] of [['win32', 'run it in WSL'], ['freebsd', `compile it: cargo install ${NAME}`]]) {
    const pretend = path.join(temporary, 'pretend.js');
    fs.writeFileSync(pretend, `Object.defineProperty(process, 'platform', { value: '${platform}' });`);
    const ran = inApp(process.execPath, ['--require', pretend, path.join(app, 'node_modules', NAME, 'bin/rehearse.js'), 'demo']);
    assert.equal(ran.code, 4);
    assert.ok(ran.err.startsWith(`error: there is no build of rehearse for ${platform}-${process.arch}\nhint: there are builds for linux-x64, `), ran.err);
    assert.ok(ran.err.endsWith(`hint: ${hint}\n`), ran.err);
    fs.rmSync(pretend);
  }
});

test('nothing is made without a known target', () => {
  const ran = run(path.join(ROOT, 'npm/build'), [os.tmpdir(), `x86_64-pc-windows-msvc=${REHEARSE}`]);
  assert.equal(ran.code, 2);
  assert.match(ran.err, /unknown target x86_64-pc-windows-msvc; known: x86_64-unknown-linux-gnu, /);
});
