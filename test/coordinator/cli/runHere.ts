// The command line in this process, whose surroundings are those of a child. A start of Node and of the bundles takes a second: what
// needs no process of its own (signals, pipes, the system's limits) is asked here.

import { tmpdir } from 'node:os';
import { commands } from '../../../coordinator/cli/commands/commands.ts';
import { runCli } from '../../../coordinator/cli/runCli.ts';
import type { Ended } from './runTabgrad.ts';

interface Surroundings {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export async function runHere(
  words: readonly string[],
  { cwd = tmpdir(), env = {} }: Surroundings = {},
): Promise<Ended> {
  let [stdout, stderr] = ['', ''];
  const { TABGRAD_STATE_DIR } = process.env;
  const code = await runCli(words, commands, '0', {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    env: { TABGRAD_STATE_DIR, TABGRAD_CACHE: 'none', ...env },
    cwd,
    signal: new AbortController().signal,
    now: () => performance.now(),
  });
  return { code, stdout, stderr };
}
