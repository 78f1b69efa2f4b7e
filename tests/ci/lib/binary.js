// The rehearse under test as people have it: a command of that name in a folder of PATH.
import { mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const BINARY = process.env.REHEARSE;

const folder = mkdtempSync(join(tmpdir(), 'path-'));
symlinkSync(BINARY, join(folder, 'rehearse'));

/** The environment of this test, with rehearse in it. */
export const ENV = {
  PATH: `${folder}:${process.env.PATH}`, HOME: mkdtempSync(join(tmpdir(), 'home-')), LANG: 'C.UTF-8',
  GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@example.org', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@example.org',
};
