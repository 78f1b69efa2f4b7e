// What the real drivers set a connection to, and what rehearse measures with.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { createClient } from '@libsql/client';
import Database from 'better-sqlite3';

const run = promisify(execFile);
const PRAGMAS = ['cache_size', 'synchronous', 'busy_timeout', 'secure_delete'];
const SYNCHRONOUS = ['OFF', 'NORMAL', 'FULL', 'EXTRA'];

/** A fresh connection's own settings. */
const DRIVERS = {
  'better-sqlite3': (file) => {
    const database = new Database(file);
    const settings = PRAGMAS.map((name) => database.pragma(name, { simple: true }));
    const options = database.pragma('compile_options').map((row) => row.compile_options);
    database.close();
    return { settings, options };
  },
  libsql: async (file) => {
    const client = createClient({ url: `file:${file}` });
    const column = async (pragma) => (await client.execute(`PRAGMA ${pragma}`)).rows.map((row) => row[0]);
    const settings = [];
    for (const name of PRAGMAS) settings.push((await column(name))[0]);
    const options = await column('compile_options');
    client.close();
    return { settings, options };
  },
};

for (const [driver, read] of Object.entries(DRIVERS)) {
  for (const mode of ['delete', 'wal']) {
    test(`rehearse measures with the settings of ${driver} in ${mode} mode`, { skip: process.env.REHEARSE === 'none' }, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'rehearse-tuning-'));
      try {
        const file = join(folder, 'prod.db');
        const database = new Database(file);
        database.pragma(`journal_mode = ${mode}`);
        database.exec('CREATE TABLE users (id INTEGER PRIMARY KEY)');
        database.close();
        await mkdir(join(folder, 'drizzle/meta'), { recursive: true });
        const entries = [{ idx: 0, version: '6', when: 1, tag: '0000_city', breakpoints: true }];
        const journal = { version: '7', dialect: 'sqlite', entries };
        await writeFile(join(folder, 'drizzle/meta/_journal.json'), JSON.stringify(journal));
        await writeFile(join(folder, 'drizzle/0000_city.sql'), 'ALTER TABLE users ADD COLUMN city TEXT;');
        const real = await read(file);
        const options = ['--snapshot', file, '--migrations', 'drizzle', '--tool', 'drizzle', '--driver', driver];
        const ran = await run(process.env.REHEARSE, [...options, '--measure', '--fail-on', 'never', '--format', 'json'], { cwd: folder });
        const ours = JSON.parse(ran.stdout).resources.measured;
        const [cache, synchronous, timeout, secure] = real.settings.map(Number);
        assert.equal(ours.journal_mode, mode);
        assert.equal(ours.cache_size, cache);
        assert.equal(ours.synchronous, SYNCHRONOUS[synchronous]);
        assert.equal(ours.busy_timeout_ms, timeout);
        assert.equal(ours.secure_delete, secure !== 0);
        assert.equal(ours.temporary_in_memory, real.options.some((option) => /^TEMP_STORE=[23]$/.test(option)));
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }
}
