// Runs the rehearse binary and reads its report.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

const BINARY = process.env.REHEARSE;

/** Rehearses and returns `{ exit, stderr, report, errors }`; `report` is null when none was written. */
export async function rehearse({ snapshot, migrations, tool = 'drizzle', driver, ledgerTable, foreignKeys, cwd = dirname(migrations), copy, out }) {
  const args = ['--snapshot', snapshot, '--migrations', migrations, '--tool', tool];
  args.push('--keep-copy', copy, '--report', `json=${out}`);
  // As the real driver, which writes sqlite_schema where it is told to.
  if (driver) args.push('--driver', driver, '--allow-unsafe-sql');
  if (ledgerTable) args.push('--ledger-table', ledgerTable);
  if (foreignKeys) args.push('--foreign-keys', foreignKeys);
  const { exit, stderr } = await run(args, cwd);
  const report = await readFile(out, 'utf8').then(JSON.parse, () => null);
  // An error of COMMIT belongs to no step.
  const { steps = [], error } = report?.execution ?? {};
  const errors = [...steps.map((step) => step.error), error].filter(Boolean);
  return { exit, stderr, report, errors };
}

function run(args, cwd) {
  return new Promise((resolve, reject) => {
    execFile(BINARY, args, { cwd, timeout: 60_000 }, (error, _stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ exit: error?.code ?? 0, stderr });
    });
  });
}
