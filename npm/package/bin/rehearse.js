#!/usr/bin/env node
'use strict';

// Starts the binary of this machine, which is in a package of its own, and ends as it ends.

const { spawn } = require('node:child_process');
const { name, version, optionalDependencies } = require('../package.json');

// No rehearsal was possible.
const FAILED = 4;

const platform = `${process.platform}-${process.arch}`;
const wanted = `@${name}/${platform}`;

function fail(cause, ...hints) {
  process.stderr.write(`error: ${cause}\n${hints.map((hint) => `hint: ${hint}\n`).join('')}`);
  process.exit(FAILED);
}

function binary() {
  if (!(wanted in optionalDependencies)) {
    const known = Object.keys(optionalDependencies).map((other) => other.split('/')[1]);
    const instead = process.platform === 'win32' ? 'run it in WSL' : `compile it: cargo install ${name}`;
    fail(`there is no build of rehearse for ${platform}`, `there are builds for ${known.join(', ')}`, instead);
  }
  try {
    return require.resolve(`${wanted}/bin/rehearse`);
  } catch {
    fail(
      `the package \`${wanted}\`, which holds rehearse for this machine, is not installed`,
      'it is an optional dependency: install without `--omit=optional`, `--no-optional` and `--ignore-optional`',
      'node_modules and lock files from another system may lack it: remove both and install again',
      `or add it yourself: npm install --save-dev ${wanted}@${version}`,
    );
  }
}

const path = binary();
const child = spawn(path, process.argv.slice(2), { stdio: 'inherit' });

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
const forward = (signal) => child.kill(signal);
for (const signal of signals) {
  process.on(signal, forward);
}

child.on('error', (error) => fail(`\`${path}\` cannot be started: ${error.message}`));

child.on('exit', (code, signal) => {
  if (signal === null) {
    process.exit(code);
  }
  for (const handled of signals) {
    process.off(handled, forward);
  }
  process.kill(process.pid, signal);
  // Only a signal that Node.js ignores comes here.
  setTimeout(() => process.exit(FAILED), 1000);
});
