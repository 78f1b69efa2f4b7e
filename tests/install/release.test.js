'use strict';

// What a release consists of: the archive, its checksums, the notes, the packaged crate, and that the binary needs nothing around it.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { REHEARSE, ROOT, TARGET, VERSION, folder, run } = require('./support.js');

const script = (name, ...args) => run(path.join(ROOT, 'ci/release', `${name}.sh`), args);

test('a tag must be the version', () => {
  assert.equal(script('version').out, `${VERSION}\n`);
  assert.equal(script('version', `v${VERSION}`).code, 0);
  for (const tag of [VERSION, `v${VERSION}.1`, 'v99.0.0']) {
    assert.equal(script('version', tag).code, 1, tag);
  }
});

const dist = folder('dist');
const name = `rehearse-${VERSION}-${TARGET}`;
const made = script('archive', TARGET, REHEARSE, dist);
assert.equal(made.code, 0, made.err);

test('the archive is whole and holds what a package needs', () => {
  assert.equal(made.out, `${path.join(dist, name)}.tar.gz\n`);
  assert.equal(script('checksums', dist).code, 0);
  assert.equal(run('sha256sum', ['--check', 'SHA256SUMS'], { cwd: dist }).out, `${name}.tar.gz: OK\n`);
  const place = folder('unpacked');
  assert.equal(run('tar', ['-xzf', path.join(dist, `${name}.tar.gz`)], { cwd: place }).code, 0);
  assert.deepEqual(fs.readdirSync(place), [name]);
  const inside = path.join(place, name);
  assert.deepEqual(fs.readdirSync(inside).sort(), ['CHANGELOG.md', 'LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'SECURITY.md', 'THIRD-PARTY.md', 'completions', 'man', 'rehearse']);
  assert.deepEqual(fs.readdirSync(path.join(inside, 'completions')).sort(), ['_rehearse', '_rehearse.ps1', 'rehearse.bash', 'rehearse.elv', 'rehearse.fish']);
  assert.ok(fs.readdirSync(path.join(inside, 'man/man1')).includes('rehearse-plan.1'));
  assert.equal(run(path.join(inside, 'rehearse'), ['--version']).out, `rehearse ${VERSION}\n`);
});

test('a damaged archive is noticed', () => {
  const place = folder('damaged');
  fs.copyFileSync(path.join(dist, `${name}.tar.gz`), path.join(place, `${name}.tar.gz`));
  assert.equal(script('checksums', place).code, 0);
  fs.appendFileSync(path.join(place, `${name}.tar.gz`), 'x');
  assert.notEqual(run('sha256sum', ['--check', 'SHA256SUMS'], { cwd: place }).code, 0);
});

test('the npm packages of a release are those of its archives', () => {
  const ran = script('npm', dist, '--dry-run', '--offline');
  assert.equal(ran.code, 0, ran.all);
  assert.deepEqual([...ran.out.matchAll(/^\+ (.*)$/gm)].map((found) => found[1]), [
    `@rehearse-sqlite/${process.platform}-${process.arch}@${VERSION}`,
    `rehearse-sqlite@${VERSION}`,
  ]);
});

test('the notes are the section of the changelog', () => {
  const changelog = path.join(folder('changelog'), 'CHANGELOG.md');
  fs.writeFileSync(changelog, '# Changelog\n\n## [Unreleased]\n\n- later\n\n## [1.2.0] - 2026-01-01\n\n### Added\n\n- this\n\n## [1.2.0-rc.1] - 2025-01-01\n\n- before\n\n[1.2.0]: link\n');
  const notes = (version) => run(path.join(ROOT, 'ci/release/notes.sh'), [version], { env: { ...process.env, CHANGELOG: changelog } });
  assert.equal(notes('1.2.0').out, '### Added\n\n- this\n');
  assert.equal(notes('1.2.0-rc.1').out, '- before\n');
  assert.equal(notes('1.2').code, 1);
});

test('the packaged crate builds anywhere, without an environment variable, and its demo finds the loss', { timeout: 1_800_000 }, () => {
  // Shared, so that the dependencies are not compiled once more.
  const target = path.resolve(process.env.CARGO_TARGET_DIR ?? path.join(ROOT, 'target'));
  const packaged = run('cargo', ['package', '--allow-dirty', '--no-verify', '--target-dir', target, '--manifest-path', path.join(ROOT, 'Cargo.toml')]);
  assert.equal(packaged.code, 0, packaged.all);
  const place = folder('elsewhere');
  run('tar', ['-xzf', path.join(target, 'package', `rehearse-sqlite-${VERSION}.crate`)], { cwd: place });
  const { LIBSQLITE3_FLAGS, ...env } = process.env;
  const crate = path.join(place, `rehearse-sqlite-${VERSION}`);
  const options = { cwd: place, env, timeout: 1_800_000 };
  const installed = run('cargo', ['install', '--debug', '--locked', '--path', crate, '--root', place, '--target-dir', target], options);
  assert.equal(installed.code, 0, installed.all);
  const demo = run(path.join(place, 'bin/rehearse'), ['demo'], options);
  assert.match(demo.out, /`posts` lost 100 of 100 rows/);
  assert.equal(demo.code, run(REHEARSE, ['demo']).code);
});
