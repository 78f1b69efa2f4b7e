// Runs commands.
import { spawn } from 'node:child_process';

/** Runs a program to its end: `{ exit, said, stdout, stderr }`, where `said` is both channels. `started` is told the process. */
export function run(program, args, { cwd, env, started = () => {}, timeout = 180_000 }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], timeout });
    const out = { stdout: '', stderr: '', said: '' };
    for (const channel of ['stdout', 'stderr']) {
      child[channel].setEncoding('utf8').on('data', (text) => {
        out[channel] += text;
        out.said += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ exit: code, signal, ...out }));
    started(child);
  });
}
