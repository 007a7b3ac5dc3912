// Runs the built command line as users do: a child process with pipes for stdout and stderr.

import { spawn } from 'node:child_process';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly ended: Promise<Ended>;
  /** Resolves with stdout so far once it contains `text`; rejects when the process ends first. */
  printed(text: string): Promise<string>;
  /** The same of stderr. */
  warned(text: string): Promise<string>;
  signal(name: NodeJS.Signals): void;
}

const DEADLINE_MS = 150_000;
const cli = new URL('../../../dist/node/cli.js', import.meta.url).pathname;

interface StartOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export function startTabgrad(words: readonly string[], options: StartOptions = {}): Running {
  return startNode([cli, ...words], options);
}

/** Starts Node in the same way, e.g. with an owner's script. */
export function startNode(words: readonly string[], options: StartOptions = {}): Running {
  // Tests leave nothing in the home of whoever runs them.
  const env = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    TABGRAD_STATE_DIR: process.env['TABGRAD_STATE_DIR'],
    TABGRAD_CACHE: 'none',
    ...options.env,
  };
  const child = spawn(process.execPath, words, {
    cwd: options.cwd,
    env,
    timeout: DEADLINE_MS,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (const watch of watchers) watch();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const watch of watchers) watch();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  const saying = (text: string, said: () => string): Promise<string> =>
    new Promise((resolve, reject) => {
      const watch = (): void => {
        if (said().includes(text)) resolve(said());
      };
      watchers.add(watch);
      watch();
      void ended.then(() => reject(new Error(`ended without printing "${text}":\n${stdout}\n${stderr}`)));
    });
  return {
    ended,
    printed: (text) => saying(text, () => stdout),
    warned: (text) => saying(text, () => stderr),
    signal: (name) => void child.kill(name),
  };
}

export function runTabgrad(...args: Parameters<typeof startTabgrad>): Promise<Ended> {
  return startTabgrad(...args).ended;
}
