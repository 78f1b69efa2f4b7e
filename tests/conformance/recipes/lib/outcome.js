// What a command left, comparable: the times and ids that a ledger holds are never the same twice.
import { copyFile } from 'node:fs/promises';
import { contents, execute } from '../../lib/database.js';

/** The contents of a database, with the volatile columns (`{ table: [column] }`) replaced by their storage class. */
export async function outcome(file, volatile, scratch) {
  for (const suffix of ['', '-wal']) await copyFile(`${file}${suffix}`, `${scratch}${suffix}`).catch(() => {});
  const columns = Object.entries(volatile).flatMap(([table, columns]) => columns.map((column) => [table, column]));
  // The table may not be there yet: then there is nothing in it.
  const updates = columns.map(([table, column]) => `UPDATE "${table}" SET "${column}" = typeof("${column}") || ' ' || rowid;`);
  for (const sql of updates) {
    try {
      execute(scratch, sql);
    } catch (error) {
      if (!/no such table/.test(error.message)) throw error;
    }
  }
  return contents(scratch);
}
