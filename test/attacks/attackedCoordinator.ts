// A coordinator as owners start it, in a process of its own, so that its memory and its answers can be measured while it
// is attacked. On loopback; ends with the test.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';

const START_TIMEOUT_MS = 30_000;
const MIBIBYTE = 1024 * 1024;

export interface AttackedCoordinator extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly adminToken: string;
  readonly joinToken: string;
  /** Everything written to stdout (a JSON value a line) and stderr so far. */
  readonly output: { readonly stdout: readonly string[]; readonly stderr: readonly string[] };
  /** Resident memory of the process, in MiB. */
  residentMiB(): number;
  /** What its main thread has computed so far, in ms of processor time. */
  computedMs(): number;
}

/** Runs `tabgrad up --port 0 --json` of the built bundle with further arguments, and tokens that the test knows. */
export function attackedCoordinator(
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<AttackedCoordinator> {
  return startAttacked('up', 'up', args, env);
}

/** Runs `tabgrad serve --port 0 --json` with further arguments. */
export function attackedServer(args: readonly string[]): Promise<AttackedCoordinator> {
  return startAttacked('serve', 'serving', args);
}

/** @param ready type of the line that tells that it is up. */
async function startAttacked(
  command: string,
  ready: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<AttackedCoordinator> {
  const tokens = { TABGRAD_ADMIN_TOKEN: 'admin-token-of-the-test', TABGRAD_TOKEN: 'join-token-of-the-test' };
  const child = spawn(process.execPath, ['dist/node/cli.js', command, '--port', '0', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...tokens, ...env },
  });
  const stdout: string[] = [];
  const stderr: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => stderr.push(line));
  const lines = createInterface({ input: child.stdout });
  const announced = new Promise<{ url: string }>((resolve, reject) => {
    lines.on('line', (line) => {
      stdout.push(line);
      const said = JSON.parse(line) as { type?: string; url: string };
      if (said.type === ready) resolve(said);
    });
    child.once('exit', (code) =>
      reject(new Error(`tabgrad ${command} ended with ${code}: ${stderr.join('\n')}`)),
    );
    setTimeout(() => reject(new Error(`tabgrad ${command} did not start in time`)), START_TIMEOUT_MS).unref();
  });
  try {
    const { url } = await announced;
    return {
      url,
      pid: pidOf(child),
      adminToken: tokens.TABGRAD_ADMIN_TOKEN,
      joinToken: tokens.TABGRAD_TOKEN,
      output: { stdout, stderr },
      residentMiB: () => residentMiB(pidOf(child)),
      computedMs: () => computedMs(pidOf(child)),
      [Symbol.asyncDispose]: () => end(child),
    };
  } catch (error) {
    await end(child);
    throw error;
  }
}

/** Processor time of a process's main thread so far, in ms. Linux alone. */
function computedMs(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}

/** Resident memory of a process of this machine, in MiB. Linux alone. */
function residentMiB(pid: number): number {
  const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round((Number(kib) * 1024) / MIBIBYTE);
}

/**
 * Asks over and over until `during` settles.
 * @param body POSTed, where there is one.
 * @returns the most that the server's main thread computed between a question and its answer, in ms.
 */
export async function slowestAnswerMs(
  { pid, url }: Pick<AttackedCoordinator, 'pid' | 'url'>,
  { path, body }: { readonly path: string; readonly body?: string },
  during: Promise<unknown>,
): Promise<number> {
  const workerData = { url: new URL(path, url).href, pid, body };
  const probe = new Worker(new URL('./healthProbe.mjs', import.meta.url), { workerData });
  const slowest = once(probe, 'message') as Promise<[number]>;
  slowest.catch(() => undefined);
  try {
    await during;
    probe.postMessage('over');
    return (await slowest)[0];
  } finally {
    await probe.terminate();
  }
}

export const slowestHealthCheckMs = (
  coordinator: Pick<AttackedCoordinator, 'pid' | 'url'>,
  during: Promise<unknown>,
): Promise<number> => slowestAnswerMs(coordinator, { path: '/healthz' }, during);

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('The process has no id');
  return child.pid;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
