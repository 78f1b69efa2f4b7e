'use strict';

// Completions and manual pages, judged by the shells and by what reads manual pages.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { REHEARSE, folder, run, without } = require('./support.js');

const scripts = folder('completions');

function script(shell, name) {
  const file = path.join(scripts, name);
  const ran = run(REHEARSE, ['completions', shell]);
  assert.equal(ran.code, 0, ran.err);
  fs.writeFileSync(file, ran.out);
  return file;
}

const CASES = [
  ['--snapshot', ['--snapshot', '--snapshot-command', '--snapshot-list']],
  ['expl', ['explain']],
];

test('bash completes options and commands', () => {
  const file = script('bash', 'rehearse.bash');
  assert.equal(run('bash', ['-n', file]).code, 0);
  for (const [begun, completed] of CASES) {
    const asked = `source "$1"; COMP_WORDS=(rehearse "$2"); COMP_CWORD=1; _rehearse rehearse "$2" rehearse; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const ran = run('bash', ['-c', asked, 'bash', file, begun]);
    assert.deepEqual(ran.out.trim().split('\n'), completed, ran.err);
  }
});

test('zsh completes options and commands', { skip: without('zsh') }, () => {
  const file = script('zsh', '_rehearse');
  assert.equal(run('zsh', ['-n', file]).code, 0);
  // zsh completes only where someone types: in a terminal of its own module.
  const typed = `
    zmodload zsh/zpty
    zpty terminal zsh -f -i
    zpty -w terminal "PS1=; fpath=($1 \\$fpath); autoload -U compinit; compinit -u -D; zstyle ':completion:*' verbose no; path=($2 \\$path); stty columns 200"
    zpty -w -n terminal "rehearse $3"$'\\t\\t'
    zpty -r -m terminal said "*$4*" && print found
    zpty -d terminal`;
  for (const [begun, completed] of CASES) {
    const ran = run('zsh', ['-f', '-c', typed, 'zsh', scripts.replaceAll(' ', '\\ '), path.dirname(REHEARSE), begun, completed.at(-1)], {
      timeout: 20_000,
    });
    assert.match(ran.out, /found/, ran.all);
  }
});

test('fish completes options and commands', { skip: without('fish') }, () => {
  const file = script('fish', 'rehearse.fish');
  assert.equal(run('fish', ['--no-execute', file]).code, 0);
  for (const [begun, completed] of CASES) {
    const ran = run('fish', ['--no-config', '-c', 'source $argv[1]; complete --do-complete "rehearse $argv[2]"', file, begun]);
    assert.deepEqual(ran.out.trim().split('\n').map((line) => line.split('\t')[0]), completed, ran.err);
  }
});

test('the other shells have a script', () => {
  for (const shell of ['elvish', 'powershell']) {
    assert.match(fs.readFileSync(script(shell, shell), 'utf8'), /--snapshot-command/);
  }
});

const pages = path.join(folder('manual'), 'man1');
assert.equal(run(REHEARSE, ['man', pages]).code, 0);

function commands() {
  const listed = run(REHEARSE, ['--help']).out.split('Commands:\n')[1].split('\n\n')[0];
  return [...listed.matchAll(/^ {2}([a-z]+)/gm)].map((found) => found[1]).filter((command) => command !== 'help');
}

test('there is a manual page for every command', () => {
  const wanted = ['rehearse.1', ...commands().map((command) => `rehearse-${command}.1`)];
  assert.deepEqual(fs.readdirSync(pages).filter((page) => !page.includes('-help')).sort(), wanted.sort());
  assert.equal(run(REHEARSE, ['man']).out, fs.readFileSync(path.join(pages, 'rehearse.1'), 'utf8'));
});

test('every option of --help is in the manual page', { skip: without('man') }, () => {
  for (const command of ['', ...commands()]) {
    const help = run(REHEARSE, [...command.split(' ').filter(Boolean), '--help']).out;
    const options = new Set(help.match(/--[a-z][a-z-]*/g));
    const page = path.join(pages, command ? `rehearse-${command}.1` : 'rehearse.1');
    const ran = run('man', ['--warnings', '-l', page], { env: { ...process.env, MANWIDTH: '200', MAN_KEEP_FORMATTING: '', LC_ALL: 'C.UTF-8' } });
    assert.equal(ran.err, '');
    for (const option of options) {
      assert.ok(ran.out.includes(option), `${option} of ${page}`);
    }
  }
});

test('mandoc finds no error in the manual pages', { skip: without('mandoc') }, () => {
  for (const page of fs.readdirSync(pages)) {
    const ran = run('mandoc', ['-Tlint', '-Werror', path.join(pages, page)]);
    assert.equal(ran.code, 0, ran.all);
  }
});
