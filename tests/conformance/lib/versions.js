// Where the packages of each Drizzle line are installed.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** The folder whose node_modules holds drizzle-orm and drizzle-kit of this layout. */
export function folderOf(layout) {
  return layout === 'v0' ? ROOT : join(ROOT, layout);
}

/** A `require` that finds drizzle-orm of this layout. */
export function requireFor(layout) {
  return createRequire(join(folderOf(layout), 'package.json'));
}
