// Starts a worker as a child process, in Node or in Deno. The child leaves when its standard input is closed, which
// the system does when this process dies, however it dies.

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import type { Runtime } from '../../../shared/protocol/runtimes.ts';
import { launchReport, TOKEN_FROM_INPUT, type LaunchReport } from '../../../shared/protocol/launchReport.ts';
import { builtFile } from '../../files/builtFile.ts';
import { makeTemporaryFolder } from '../../files/temporaryFolder.ts';
import { BoundedLog } from './boundedLog.ts';
import { unpackChromium } from './chromium.ts';
import { WorkerStartError } from './localErrors.ts';
import type { LocalWorker, LocalWorkerSettings } from '../../options/localWorker.ts';
import { workerEnvironment } from './workerEnvironment.ts';

const KEPT_LINES = 20;
/** A worker gives itself ten seconds to hand its rows over, and three to close. */
const STOP_TIMEOUT_MS = 14_000;
const KILL_TIMEOUT_MS = 5_000;

/** @throws WorkerStartError when it ends or does not join in time; BrowserMissingError without a software driver. */
export async function startProcessWorker(
  kind: Exclude<Runtime, 'browser'>,
  settings: LocalWorkerSettings,
): Promise<LocalWorker> {
  const { command, args } = kind === 'node' ? nodeCommand() : denoCommand(settings);
  const flags = [
    '--url',
    settings.url,
    '--device',
    settings.device,
    '--cache',
    settings.cacheFolder ?? 'none',
  ];
  flags.push('--threads', String(settings.threads));
  flags.push('--launched', 'yes', '--code', settings.allowCode ? 'allow' : 'deny');
  if (settings.name !== undefined) flags.push('--name', settings.name);
  if (settings.token !== undefined) flags.push('--token', TOKEN_FROM_INPUT);
  const authorities = settings.ca === undefined ? undefined : await authoritiesFile(settings.ca);
  const child = spawn(command, [...args, ...flags], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: await environment(settings, authorities?.file),
  });
  const { device, onLine } = settings;
  // Where a GPU was asked for, all that is known of it is told. An error of the start has all lines.
  const log = new BoundedLog(
    KEPT_LINES,
    onLine && device !== 'webgpu' ? withoutDriverSearch(onLine) : onLine,
  );
  child.stderr.setEncoding('utf8').on('data', (text: string) => log.write(text));
  // The pipe breaks when the child dies; its end is reported below.
  child.stdin.on('error', () => {});
  // Over a pipe: every user of the machine can read arguments, and code in the worker the variables that it began with.
  if (settings.token !== undefined) child.stdin.write(`${settings.token}\n`);
  const ended = processEnd(child);
  if (authorities) void ended.then(authorities.remove);
  try {
    const joined = await joinReport(kind, child, log, ended, settings);
    return {
      kind,
      pid: child.pid ?? 0,
      workerId: joined.workerId,
      device: joined.device,
      ended,
      stop: () => end(child, ended, 'SIGTERM', STOP_TIMEOUT_MS),
      kill: () => end(child, ended, 'SIGKILL', KILL_TIMEOUT_MS),
    };
  } catch (error) {
    await end(child, ended, 'SIGKILL', KILL_TIMEOUT_MS);
    throw error;
  }
}

type Joined = Extract<LaunchReport, { event: 'joined' }>;

function joinReport(
  kind: string,
  child: ChildProcess,
  log: BoundedLog,
  ended: Promise<string>,
  { url, joinTimeoutMs, signal }: LocalWorkerSettings,
): Promise<Joined> {
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => {
      const said = log.text === '' ? '' : ` It last said:\n${log.text}`;
      reject(new WorkerStartError(`The local ${kind} worker ${what} (${url}).${said}`));
    };
    const timer = setTimeout(() => fail(`did not join within ${joinTimeoutMs} ms`), joinTimeoutMs);
    signal?.addEventListener('abort', () => fail('was withdrawn before it had joined'), { once: true });
    const lines = new BoundedLog(1, (line) => {
      const report = parseReport(line);
      if (report?.event === 'joined') resolve(report);
      if (report?.event === 'ended') log.add(`${report.kind}: ${report.reason}`);
    });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => lines.write(text));
    void ended.then((how) => {
      clearTimeout(timer);
      fail(`ended before it had joined (${how})`);
    });
  });
}

function parseReport(line: string): LaunchReport | undefined {
  try {
    return launchReport.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function processEnd(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    // 'close' rather than 'exit': by then everything that it said has been read.
    child.once('close', (code, signal) =>
      resolve(signal === null ? `exit code ${code}` : `signal ${signal}`),
    );
  });
}

async function end(
  child: ChildProcess,
  ended: Promise<string>,
  signal: NodeJS.Signals,
  timeoutMs: number,
): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  await ended;
  clearTimeout(timer);
}

async function environment(
  { softwareGpu, extraVariables }: LocalWorkerSettings,
  authorities: string | undefined,
): Promise<NodeJS.ProcessEnv> {
  const environment: NodeJS.ProcessEnv = {
    ...workerEnvironment(process.env, extraVariables),
    NO_COLOR: '1',
    // What Node and Deno read it from; all their sockets go by it.
    ...(authorities === undefined ? {} : { NODE_EXTRA_CA_CERTS: authorities, DENO_CERT: authorities }),
  };
  if (softwareGpu) {
    const { swiftshaderIcd, libraryPath } = await unpackChromium();
    environment['VK_ICD_FILENAMES'] = swiftshaderIcd;
    environment['LD_LIBRARY_PATH'] = [libraryPath, process.env['LD_LIBRARY_PATH']]
      .filter((path) => path)
      .join(delimiter);
  }
  return environment;
}

/** Runtimes read further authorities from one file alone: those that they were told of already stay. */
async function authoritiesFile(ca: string): Promise<{ file: string; remove: () => Promise<void> }> {
  const folder = await makeTemporaryFolder('authority');
  const known = process.env['NODE_EXTRA_CA_CERTS'];
  const others = known === undefined ? '' : await readFile(known, 'utf8').catch(() => '');
  const file = join(folder.path, 'authorities.pem');
  await writeFile(file, `${ca}\n${others}`);
  return { file, remove: () => folder.remove() };
}

function nodeCommand(): { command: string; args: string[] } {
  return { command: process.execPath, args: [bundle('node')] };
}

/** Variables that a worker and its packages (ws, node-datachannel) read. */
const denoEnvironment = [
  'NODE_DEBUG',
  'TEXT_DECODER',
  'TEXT_ENCODING',
  'WS_NO_BUFFER_UTIL',
  'WS_NO_UTF_8_VALIDATE',
];

/**
 * Deno, allowed what a worker needs and no more: the coordinator, its own code, and WebRTC's native module (which opens
 * sockets of its own to peers).
 */
function denoCommand({ url, cacheFolder }: LocalWorkerSettings): { command: string; args: string[] } {
  const worker = bundle('deno');
  const packages = packagesFolder();
  const kept = cacheFolder === undefined ? [] : [cacheFolder];
  return {
    command: denoExecutable(),
    args: [
      'run',
      '--no-prompt',
      '--no-lock',
      // Threads of owners' code have fewer permissions than the process, and imports of theirs fetch nothing.
      '--unstable-worker-options',
      '--no-remote',
      '--cached-only',
      `--allow-net=${new URL(url).host}`,
      `--allow-env=${denoEnvironment.join(',')}`,
      // tfjs is beside the worker; detect-libc reads ldd to tell which build of the native module fits.
      `--allow-read=${[dirname(worker), join(worker, '../../vendor'), packages, '/usr/bin/ldd', ...kept].join(',')}`,
      ...kept.map((folder) => `--allow-write=${folder}`),
      `--allow-ffi=${packages}`,
      worker,
    ],
  };
}

/** The node_modules folder that this package's dependencies are in. */
function packagesFolder(): string {
  const entry = createRequire(import.meta.url).resolve('node-datachannel');
  return entry.slice(0, entry.lastIndexOf('node_modules') + 'node_modules'.length);
}

function denoExecutable(): string {
  const name = process.platform === 'win32' ? 'deno.exe' : 'deno';
  const onPath = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    // npm puts a launcher script of the same name on PATH, which would be one more process to end.
    .find((file) => !file.includes('node_modules') && existsSync(file));
  if (onPath !== undefined) return onPath;
  // The npm package links the executable into its folder when install scripts run; the platform's package has it always.
  const libc = process.platform === 'linux' ? '-glibc' : '';
  const { resolve } = createRequire(import.meta.url);
  for (const owner of ['deno', `@deno/${process.platform}-${process.arch}${libc}`]) {
    try {
      const file = join(dirname(resolve(`${owner}/package.json`)), name);
      if (existsSync(file)) return file;
    } catch {
      // Not installed; the error below says what to do.
    }
  }
  throw new WorkerStartError('Deno was not found on PATH or in node_modules. Run `npm install deno`.');
}

/** The built worker. */
function bundle(platform: Exclude<Runtime, 'browser'>): string {
  const found = builtFile(`${platform}/worker.js`);
  if (found !== undefined) return found;
  throw new WorkerStartError(
    `The worker's bundle ${platform}/worker.js was not found; run \`npm run build:js\`.`,
  );
}

/** The loader and Dawn write these, each followed by where in Dawn that was and an empty line. */
const note = /^Warning: (Couldn't load Vulkan|loader_\w+:|terminator_\w+:|vkCreateInstance\b)/;
const place = /^ {4}at .*[\\/]dawn[\\/]/;

/** Passes lines on, without those notes. Everything else stays, other warnings of Dawn too. */
export function withoutDriverSearch(onLine: (line: string) => void): (line: string) => void {
  let isNote = false;
  return (line) => {
    if (note.test(line)) isNote = true;
    else if (!isNote || (line !== '' && !place.test(line))) {
      isNote = false;
      onLine(line);
    } else if (line === '') isNote = false;
  };
}
