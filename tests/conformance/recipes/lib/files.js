// Folders: copied, and compared byte for byte.
import { createHash } from 'node:crypto';
import { cp, lstat, readdir, readFile, readlink, symlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Lays the files of several folders over one another in a new one, and links the packages into it. */
export async function lay(folders, to, packages) {
  for (const folder of folders) await cp(folder, to, { recursive: true });
  if (packages) await symlink(packages, join(to, 'node_modules'));
}

/** Everything in a folder: path, mode, and what is in it. */
export async function fingerprint(folder, below = '') {
  const found = [];
  for (const name of (await readdir(join(folder, below))).sort()) {
    const path = join(below, name);
    const stat = await lstat(join(folder, path));
    const content = stat.isSymbolicLink() ? await readlink(join(folder, path)) : stat.isFile() ? hash(await readFile(join(folder, path))) : '';
    found.push(`${path} ${stat.mode.toString(8)} ${content}`);
    if (stat.isDirectory()) found.push(...(await fingerprint(folder, path)));
  }
  return found;
}

/** The text of every file in a folder. */
export async function textOf(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath ?? entry.path, entry.name), 'utf8'));
  return (await Promise.all(files)).join('\n');
}

function hash(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}
