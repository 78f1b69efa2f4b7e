'use strict';

// What the tests of installing share.

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '../..');
const REHEARSE = process.env.REHEARSE;
const VERSION = execFileSync(REHEARSE, ['--version'], { encoding: 'utf8' }).trim().split(' ')[1];

const targetOf = { x64: 'x86_64', arm64: 'aarch64' };
const TARGET = `${targetOf[process.arch]}-${process.platform === 'darwin' ? 'apple-darwin' : 'unknown-linux-gnu'}`;

/** A new folder that is removed after the tests. */
function folder(name) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), `${name} `));
  process.on('exit', () => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Runs to the end; gives exit code or signal and what was said. */
function run(command, args, options = {}) {
  const ran = spawnSync(command, args, { encoding: 'utf8', timeout: 120_000, ...options });
  if (ran.error) {
    throw ran.error;
  }
  return { code: ran.status, signal: ran.signal, out: ran.stdout, err: ran.stderr, all: ran.stdout + ran.stderr };
}

/** Why a test is skipped where this command is missing; false where it is there. */
function without(command) {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0 ? false : `${command} is not installed`;
}

module.exports = { REHEARSE, ROOT, TARGET, VERSION, folder, run, without };
