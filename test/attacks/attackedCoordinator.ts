// A coordinator as owners start it, in a process of its own, so that its memory and its answers can be measured while it
// is attacked. On loopback; ends with the test.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

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
      [Symbol.asyncDispose]: () => end(child),
    };
  } catch (error) {
    await end(child);
    throw error;
  }
}

/** Resident memory of a process of this machine, in MiB. Linux alone. */
function residentMiB(pid: number): number {
  const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round((Number(kib) * 1024) / MIBIBYTE);
}

/** Asks /healthz over and over until `during` settles. @returns the longest time that an answer took, in ms. */
export async function slowestHealthCheckMs(url: string, during: Promise<unknown>): Promise<number> {
  const over = new AbortController();
  void during.catch(() => undefined).finally(() => over.abort());
  let slowestMs = 0;
  while (!over.signal.aborted) {
    const askedAt = performance.now();
    await (await fetch(`${url}/healthz`)).arrayBuffer();
    slowestMs = Math.max(slowestMs, performance.now() - askedAt);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return slowestMs;
}

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
