// Starts the thread of a program in Node.

import { Worker } from 'node:worker_threads';
import { deferred } from '../../shared/deferred.ts';
import type { OpenProgramThread } from './threadMessages.ts';

export const openProgramThread: OpenProgramThread = (onFrame) => {
  // Nothing of this process's arguments and variables (its token is among them) is the program's business. What it
  // prints goes to standard error: standard output is the worker's own.
  const thread = new Worker(new URL('./programThread.js', import.meta.url), {
    argv: [],
    execArgv: [],
    env: {},
    stdout: true,
  });
  thread.stdout.pipe(process.stderr, { end: false });
  const ended = deferred<string>();
  let failure: string | undefined;
  thread.on('message', (frame: ArrayBuffer) => onFrame(frame));
  thread.on('error', (error: Error) => (failure = error.message));
  thread.once('exit', (code) => ended.resolve(failure ?? `its thread ended with code ${code}`));
  return {
    post: (message, transfer) => thread.postMessage(message, [...transfer]),
    ended: ended.promise,
    terminate: () => void thread.terminate(),
  };
};
