// Runs a command.
import { execFile } from 'node:child_process';
import { join } from 'node:path';

export const NODE_MODULES = join(import.meta.dirname, '../node/node_modules');
export const CACHE = join(import.meta.dirname, '../.cache');

/** What a command says: `{ exit, stdout, stderr }`. */
export function run(command, args, { cwd, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, env: { ...process.env, ...env }, timeout: 120_000 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ exit: error?.code ?? 0, stdout, stderr });
    });
  });
}

/** Runs one of the programs in `rust/`: what it says when it fails, or null. */
export async function runReal(name, args, options) {
  const { exit, stderr } = await run(join(CACHE, 'target/debug', name), args, options);
  return exit === 0 ? null : stderr.trim();
}

/** A file with SQL: statements in a list are a line each. */
export function text(sql) {
  return Array.isArray(sql) ? `${sql.join('\n')}\n` : sql;
}

/** `3` as `0003`. */
export function padded(version, digits = 4) {
  return String(version).padStart(digits, '0');
}
