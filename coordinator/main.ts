#!/usr/bin/env node
// The `tabgrad` command: gives runCli the real process to work with.

import { commands } from './cli/commands/commands.ts';
import { OutputError } from './cli/cliErrors.ts';
import { listenForInterrupts } from './cli/interrupts.ts';
import { reportError } from './cli/reportError.ts';
import { runCli } from './cli/runCli.ts';
import { packageVersion } from './files/builtFile.ts';

const words = process.argv.slice(2);
const quiet = words.includes('--quiet') || words.includes('--json');

const interrupts = listenForInterrupts(() => {
  if (!quiet) process.stderr.write('\nEnding in order; press Ctrl-C again to end at once.\n');
});
// Work in progress ends in order then, as by Ctrl-C: workers leave and temporary folders go. `tabgrad runs | head` closes
// our stdout early, which is no failure; a full disk is one.
let brokenOutput: NodeJS.ErrnoException | undefined;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  brokenOutput ??= error;
  interrupts.end(error);
});
// A terminal that is gone takes no last words.
process.stderr.on('error', () => undefined);

let code = await runCli(words, commands, packageVersion(), {
  stdout: process.stdout,
  // What follows from broken output is not told beside it.
  stderr: { write: (text: string) => brokenOutput !== undefined || process.stderr.write(text) },
  env: process.env,
  cwd: process.cwd(),
  signal: interrupts.signal,
  now: () => performance.now(),
});
interrupts.close();
// Piped output is written asynchronously: wait until both pipes took what they were given.
await Promise.all(
  [process.stdout, process.stderr]
    .filter((pipe) => pipe.writable)
    .map((pipe) => new Promise((done) => pipe.write('', done))),
);
if (brokenOutput !== undefined && brokenOutput.code !== 'EPIPE') {
  const cause = brokenOutput;
  code = reportError(
    new OutputError(`Standard output can not be written: ${cause.message}.`, {}, { cause }),
    process.stderr,
    { json: words.includes('--json'), verbose: words.includes('--verbose') },
  );
}
process.exit(interrupts.code() ?? code);
