// Runs a command in the foreground as if it were this process: it gets the signals, and its end is this one's.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const isWindows = process.platform === 'win32';
/** What a terminal or a supervisor sends; SIGWINCH tells that the window has another size. */
const passedOn = isWindows ? ['SIGINT', 'SIGTERM'] : ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGWINCH'];

export function runChild(command, args) {
  // In a group of its own: a terminal sends Ctrl-C to all of a group, and the child would have it twice, which asks it to end
  // at once.
  const child = spawn(command, args, { stdio: 'inherit', detached: !isWindows });
  for (const signal of passedOn) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
