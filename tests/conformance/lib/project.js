// A Drizzle project in a temporary folder, driven by the real drizzle-kit.
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { folderOf } from './versions.js';

const execute = promisify(execFile);

const IMPORTS = `import { blob, check, foreignKey, index, integer, numeric, primaryKey, real, sqliteTable, sqliteView, text, unique, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { sql } from 'drizzle-orm';
`;

export class Project {
  /** Makes an empty project; `layout` is `v0` (journal) or `v1` (a folder per migration). */
  static async create(folder, layout) {
    await mkdir(folder, { recursive: true });
    const project = new Project(folder, layout);
    await project.link();
    return project;
  }

  constructor(folder, layout) {
    this.folder = folder;
    this.layout = layout;
    this.migrations = join(folder, 'drizzle');
    this.count = 0;
  }

  /**
   * Carries out the steps of an app in order. A step is
   *   a string                 the schema from now on: `drizzle-kit generate`
   *   { schema, ...options }   the same, with `breakpoints: false`, or `renames: [[table, from, to]]`
   *   { custom }               SQL for `drizzle-kit generate --custom`; `''` leaves the file as the kit wrote it
   *   { edit }                 a function of this project that edits the generated files
   *   { upgrade: true }        from here on drizzle 1.0
   */
  async steps(steps) {
    for (const step of steps) {
      if (typeof step === 'string') await this.generate({ schema: step });
      else if (step.upgrade) await this.upgrade();
      else if (step.edit) await step.edit(this);
      else if (step.custom !== undefined) await this.custom(step.custom);
      else await this.generate(step);
    }
  }

  async generate({ schema, breakpoints = true, renames = [] }) {
    await writeFile(join(this.folder, 'schema.ts'), IMPORTS + schema);
    const before = (await this.files()).length;
    const options = breakpoints ? [] : ['--breakpoints=false'];
    if (renames.length && this.layout === 'v1') options.push('--hints', JSON.stringify(renames.map(hint)));
    await this.kit(options, this.layout === 'v0' ? renames.length : 0);
    const after = (await this.files()).length;
    if (after !== before + 1) throw new Error(`drizzle-kit generated ${after - before} migrations`);
  }

  async custom(sql) {
    await this.kit(['--custom'], 0);
    if (sql !== '') await writeFile((await this.files()).at(-1), sql);
  }

  /** Turns a v0 project into a v1 project, as its users do: new packages and `drizzle-kit up`. */
  async upgrade() {
    this.layout = 'v1';
    await unlink(join(this.folder, 'node_modules'));
    await this.link();
    await this.run(['up', '--dialect', 'sqlite', '--out', 'drizzle']);
  }

  /** Runs `drizzle-kit generate`; `answers` is how many rename prompts to answer with the second choice. */
  async kit(options, answers) {
    this.count += 1;
    const generate = ['generate', '--dialect', 'sqlite', '--schema', 'schema.ts', '--out', 'drizzle'];
    await this.run([...generate, '--name', `step${this.count}`, ...options], answers);
  }

  /** Puts the packages of the layout in place, with the package.json that names them. */
  async link() {
    const modules = join(this.folder, 'node_modules');
    await symlink(join(folderOf(this.layout), 'node_modules'), modules);
    const { version } = JSON.parse(await readFile(join(modules, 'drizzle-orm/package.json'), 'utf8'));
    const manifest = { name: 'app', private: true, dependencies: { 'drizzle-orm': version } };
    await writeFile(join(this.folder, 'package.json'), JSON.stringify(manifest, null, 2));
  }

  async run(options, answers = 0) {
    const kit = [join(this.folder, 'node_modules/drizzle-kit/bin.cjs'), ...options];
    const [command, args] = answers
      ? ['python3', [join(import.meta.dirname, 'answer.py'), String(answers), process.execPath, ...kit]]
      : [process.execPath, kit];
    const child = execute(command, args, { cwd: this.folder });
    child.child.stdin.end();
    await child;
  }

  /** The SQL files in the order in which the kit made them. */
  async files() {
    const names = await readdir(this.migrations).catch(() => []);
    return this.layout === 'v0'
      ? names.filter((name) => name.endsWith('.sql')).sort().map((name) => join(this.migrations, name))
      : names.sort(byStep).map((name) => join(this.migrations, name, 'migration.sql'));
  }

  /** Replaces text in the `at`-th SQL file. */
  async rewrite(at, change) {
    const file = (await this.files()).at(at);
    await writeFile(file, change(await readFile(file, 'utf8')));
  }

  /** Edits the journal of the v0 layout. */
  async journal(change) {
    const file = join(this.migrations, 'meta/_journal.json');
    const journal = JSON.parse(await readFile(file, 'utf8'));
    change(journal.entries);
    await writeFile(file, JSON.stringify(journal, null, 2));
  }
}

function byStep(left, right) {
  const step = (name) => Number(/_step(\d+)$/.exec(name)[1]);
  return step(left) - step(right);
}

function hint([table, from, to]) {
  return { type: 'rename', kind: 'column', from: ['public', table, from], to: ['public', table, to] };
}
