// Runs a composite action as GitHub's runner does: inputs and their defaults, expressions (by GitHub's own library), the files behind
// GITHUB_OUTPUT and GITHUB_STEP_SUMMARY, conditions, and bash as `shell: bash` starts it.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { data, Evaluator, Lexer, Parser } from '@actions/expressions';
import { parse } from 'yaml';

export const REPOSITORY = resolve(import.meta.dirname, '../../..');

const STATUS = ['success', 'failure', 'cancelled', 'always'];

function value(plain) {
  if (plain === null || plain === undefined) return new data.Null();
  if (typeof plain === 'object') {
    return new data.Dictionary(...Object.entries(plain).map(([key, inner]) => ({ key, value: value(inner) })));
  }
  if (typeof plain === 'number') return new data.NumberData(plain);
  if (typeof plain === 'boolean') return new data.BooleanData(plain);
  return new data.StringData(plain);
}

function evaluate(text, contexts, failed) {
  const functions = STATUS.map((name) => ({
    name, minArgs: 0, maxArgs: 0,
    call: () => new data.BooleanData({ success: !failed, failure: failed, cancelled: false, always: true }[name]),
  }));
  const tree = new Parser(new Lexer(text).lex().tokens, Object.keys(contexts), functions).parse();
  return new Evaluator(tree, value(contexts), new Map(functions.map((one) => [one.name, one]))).evaluate();
}

/** A text with its expressions replaced. */
export function interpolate(text, contexts, failed = false) {
  return String(text).replaceAll(/\$\{\{(.*?)\}\}/gs, (_, inner) => evaluate(inner, contexts, failed).coerceString());
}

function holds(condition, contexts, failed) {
  if (condition === undefined) return !failed;
  const inner = String(condition).trim().replace(/^\$\{\{(.*)\}\}$/s, '$1');
  const asksStatus = new RegExp(`\\b(${STATUS.join('|')})\\s*\\(`).test(inner);
  const result = evaluate(inner, contexts, failed);
  return (asksStatus || !failed) && !['', '0', 'false', 'null'].includes(result.coerceString());
}

/** What a file such as GITHUB_OUTPUT sets; a line that the runner would refuse is an error here as well. */
export function fileCommands(text) {
  const set = {};
  const lines = text.split('\n');
  while (lines.length > 0) {
    const line = lines.shift();
    if (line === '') continue;
    const [, name, mark] = /^([^=]*?)<<(.+)$/.exec(line) ?? [];
    if (mark !== undefined) {
      const end = lines.indexOf(mark);
      if (end < 0) throw new Error(`no end of ${line}`);
      set[name] = lines.splice(0, end + 1).slice(0, -1).join('\n');
    } else if (line.includes('=')) {
      set[line.slice(0, line.indexOf('='))] = line.slice(line.indexOf('=') + 1);
    } else {
      throw new Error(`no name and value: ${line}`);
    }
  }
  return set;
}

/** The workflow commands in a log, as the runner finds them. */
export function workflowCommands(log) {
  const found = [];
  for (const line of log.split(/\r?\n/)) {
    const [, name, properties, text] = /^\s*::([a-z-]+)(?: ([^:]*(?::(?!:)[^:]*)*))?::(.*)$/i.exec(line) ?? [];
    const plain = (escaped) => escaped?.replaceAll('%0A', '\n').replaceAll('%0D', '\r').replaceAll('%25', '%');
    if (name) found.push({ name, properties: properties ?? '', text: plain(text) });
    if (line.includes('##[')) found.push({ name: '##', properties: '', text: line });
  }
  return found;
}

export function bash(script, { cwd, env }) {
  return new Promise((done) => {
    const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { log += text; });
    child.on('close', (code) => done({ code, log }));
  });
}

/**
 * Runs the action. `inputs` are what stands under `with:`; `github` is laid over the context of a pull request from this repository.
 * A folder can be given again, as the tool cache of a runner is there again.
 */
export async function runAction({ workspace, inputs = {}, github = {}, env = {}, server, folder = mkdtempSync(join(tmpdir(), 'runner-')) }) {
  const action = parse(readFileSync(join(REPOSITORY, 'action.yml'), 'utf8'));
  const unknown = Object.keys(inputs).filter((name) => !(name in action.inputs));
  if (unknown.length > 0) throw new Error(`no such input: ${unknown}`);
  const context = {
    action_path: REPOSITORY, action_repository: 'someone/rehearse', repository: 'acme/shop', token: 'the-token', event_name: 'pull_request',
    workflow: 'CI', job: 'rehearse', run_id: '42',
    event: { pull_request: { number: 7, head: { sha: '0123456789abcdef', repo: { full_name: 'acme/shop' } } } },
    ...github,
  };
  const given = {};
  for (const [name, { default: fallback = '' }] of Object.entries(action.inputs)) {
    given[name] = name in inputs ? String(inputs[name]) : interpolate(fallback, { github: context });
  }
  const temp = join(folder, 'temp');
  mkdirSync(temp, { recursive: true });
  const contexts = { inputs: given, github: context, steps: {}, runner: { temp } };
  const result = { steps: [], log: '', summary: '', exitCode: 0 };
  for (const step of action.runs.steps) {
    const failed = result.exitCode !== 0;
    if (!holds(step.if, contexts, failed)) continue;
    const files = Object.fromEntries(['GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY', 'GITHUB_ENV', 'GITHUB_PATH'].map((name) => {
      const file = join(mkdtempSync(join(temp, 'commands-')), name);
      writeFileSync(file, '');
      return [name, file];
    }));
    const script = join(temp, `step-${result.steps.length}.sh`);
    writeFileSync(script, interpolate(step.run, contexts, failed));
    const variables = Object.fromEntries(Object.entries(step.env ?? {}).map(([name, text]) => [name, interpolate(text, contexts, failed)]));
    const { code, log } = await bash(script, {
      cwd: workspace,
      env: {
        PATH: process.env.PATH, HOME: folder, CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: workspace,
        GITHUB_ACTION_PATH: REPOSITORY, GITHUB_EVENT_NAME: context.event_name, GITHUB_REPOSITORY: context.repository,
        GITHUB_WORKFLOW: context.workflow, GITHUB_JOB: context.job, GITHUB_RUN_ID: context.run_id, GITHUB_SERVER_URL: server ?? 'http://127.0.0.1:1',
        GITHUB_API_URL: `${server ?? 'http://127.0.0.1:1'}/api`, GITHUB_GRAPHQL_URL: `${server ?? 'http://127.0.0.1:1'}/graphql`,
        RUNNER_TEMP: temp, RUNNER_TOOL_CACHE: join(folder, 'tools'), RUNNER_OS: 'Linux', RUNNER_ARCH: 'X64',
        ...env, ...files, ...variables,
      },
    });
    const outputs = fileCommands(readFileSync(files.GITHUB_OUTPUT, 'utf8'));
    if (step.id) contexts.steps[step.id] = { outputs };
    result.steps.push({ name: step.name, code, log });
    result.log += log;
    result.summary += readFileSync(files.GITHUB_STEP_SUMMARY, 'utf8');
    if (code !== 0 && !step['continue-on-error']) result.exitCode ||= code;
  }
  result.outputs = Object.fromEntries(Object.entries(action.outputs).map(([name, { value: text }]) => [name, interpolate(text, contexts)]));
  result.commands = workflowCommands(result.log);
  result.folder = folder;
  return result;
}
