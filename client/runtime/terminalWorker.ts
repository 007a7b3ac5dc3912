// A worker as a process: arguments in, one line on joining, a status line on a terminal, signals that make it leave.
// Node and Deno differ only in the Terminal and the platform that they pass.

import type { LaunchReport } from '../../shared/protocol/launchReport.ts';
import { TOKEN_FROM_INPUT } from '../../shared/protocol/launchReport.ts';
import { secretVariables } from '../../shared/protocol/secretVariables.ts';
import { launcherInput, type LauncherInput } from './launcherInput.ts';
import { visibleLine } from '../../kernels/visibleText.ts';
import { InvalidWorkerOptionError, parseWorkerArguments, workerUsage } from './workerArguments.ts';
import type { WorkerArguments } from './workerArguments.ts';
import { Worker } from './worker.ts';
import type { WorkerPlatform } from './workerPlatform.ts';
import { describeStatus, type WorkerStatus } from './workerStatus.ts';

export interface Terminal {
  readonly args: readonly string[];
  env(name: string): string | undefined;
  /** Takes a variable out of this process's environment. */
  forgetEnv(name: string): void;
  /** True when standard output is a terminal that can rewrite its line. */
  readonly interactive: boolean;
  write(text: string): void;
  writeError(text: string): void;
  /** SIGINT or SIGTERM. */
  onInterrupt(interrupted: (signal: string) => void): void;
  /** Standard input; opened at most once. */
  openInput(): ReadableStream<Uint8Array>;
  readonly defaultCacheFolder: string;
}

/** To the start of the line, and clear it. */
const ERASE_LINE = '\r\u001b[2K';
const EXIT_OK = 0;
const EXIT_REFUSED = 1;
const EXIT_USAGE = 2;

/** Runs until the worker's life is over. @returns the exit code. */
export async function runTerminalWorker(
  terminal: Terminal,
  createPlatform: (options: WorkerArguments, log: (line: string) => void) => WorkerPlatform,
): Promise<number> {
  if (terminal.args.includes('--help')) {
    terminal.write(`${workerUsage}\n`);
    return EXIT_OK;
  }
  let options: WorkerArguments;
  let input: LauncherInput | undefined;
  try {
    options = parseWorkerArguments(terminal.args, (name) => terminal.env(name), terminal.defaultCacheFolder);
    if (options.launched || options.token === TOKEN_FROM_INPUT) input = launcherInput(terminal.openInput());
    if (input && options.token === TOKEN_FROM_INPUT) options = await withToken(options, input);
  } catch (error) {
    if (!(error instanceof InvalidWorkerOptionError)) throw error;
    terminal.writeError(`${error.code}: ${visibleLine(error.message)}\n`);
    return EXIT_USAGE;
  }
  const { launched } = options;
  // Before anything of an owner is loaded.
  for (const name of secretVariables) terminal.forgetEnv(name);
  // What the coordinator and other workers say comes along in these lines.
  const shown = (text: string): string => `${terminal.interactive ? ERASE_LINE : ''}${visibleLine(text)}`;
  const platform = createPlatform(options, (text) => terminal.writeError(`${shown(text)}\n`));
  const show = launched ? reporter(terminal) : printer(terminal, options.url, shown);
  const worker = new Worker(options, platform, show);
  let interrupts = 0;
  terminal.onInterrupt((signal) => {
    if (++interrupts === 1) void worker.leave(`stopped by ${signal}`);
  });
  if (launched) void input?.closed.then(() => worker.leave('whoever started it is gone'));

  const end = await worker.ended;
  if (launched) terminal.write(`${JSON.stringify({ event: 'ended', ...end } satisfies LaunchReport)}\n`);
  else terminal.write(`${shown(`${end.kind === 'refused' ? 'Refused' : 'Left'}: ${end.reason}`)}\n`);
  if (end.kind === 'refused') terminal.writeError(`JOIN_REFUSED: ${visibleLine(end.reason)}\n`);
  return end.kind === 'refused' ? EXIT_REFUSED : EXIT_OK;
}

/** @throws InvalidWorkerOptionError */
async function withToken(options: WorkerArguments, { firstLine }: LauncherInput): Promise<WorkerArguments> {
  const token = await firstLine;
  if (token) return { ...options, token };
  throw new InvalidWorkerOptionError(
    `--token ${TOKEN_FROM_INPUT}: expected the token as the first line of standard input.`,
    { field: 'token' },
  );
}

/** One JSON line each time this worker has joined under a new identity. */
function reporter(terminal: Terminal): (status: WorkerStatus) => void {
  let known: string | undefined;
  return ({ workerId, device }) => {
    if (workerId === undefined || workerId === known || !device) return;
    known = workerId;
    terminal.write(`${JSON.stringify({ event: 'joined', workerId, device } satisfies LaunchReport)}\n`);
  };
}

/** Lines for people: joining and losing the coordinator always, everything else only on a terminal. */
function printer(
  terminal: Terminal,
  url: string,
  shown: (text: string) => string,
): (status: WorkerStatus) => void {
  let known: string | undefined;
  let lost = false;
  return (status) => {
    const { workerId, device } = status;
    if (workerId !== undefined && workerId !== known && device) {
      known = workerId;
      const reason = device.reason === undefined ? '' : ` ${device.reason}`;
      const joined = `Joined ${url} as ${workerId}, computing on ${device.kind} (${device.name}).${reason}`;
      terminal.write(`${shown(joined)}\n`);
    }
    if (lost !== (status.phase === 'reconnecting')) {
      lost = !lost;
      if (!terminal.interactive)
        terminal.write(`${shown(lost ? `Lost the coordinator: ${status.note}` : 'Joined again.')}\n`);
    }
    if (terminal.interactive && status.phase !== 'ended') {
      terminal.write(shown(describeStatus(status)));
    }
  };
}
