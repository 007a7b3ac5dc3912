#!/usr/bin/env node
// The `tabgrad` command: gives runCli the real process to work with.

import { commands } from './commands.ts';
import { listenForInterrupts } from './interrupts.ts';
import { packageVersion } from './packageVersion.ts';
import { runCli } from './runCli.ts';

const words = process.argv.slice(2);
const quiet = words.includes('--quiet') || words.includes('--json');

// `tabgrad runs | head` closes our stdout early; that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

const interrupts = listenForInterrupts(() => {
  if (!quiet) process.stderr.write('\nEnding in order; press Ctrl-C again to end at once.\n');
});
const code = await runCli(words, commands, packageVersion(), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  signal: interrupts.signal,
  now: () => performance.now(),
});
interrupts.close();
// Piped output is written asynchronously: wait until both pipes took what they were given.
await Promise.all(
  [process.stdout, process.stderr].map((pipe) => new Promise((done) => pipe.write('', done))),
);
process.exit(interrupts.code() ?? code);
