// Starts the thread of a program in Node.

import { Worker } from 'node:worker_threads';
import { deferred } from '../../shared/deferred.ts';
import type { OpenProgramThread, ToThread } from './threadMessages.ts';

/** For what tabgrad's own program has in hand; whatever it computes on answers, or is lost, in that time. */
const END_TIMEOUT_MS = 30_000;

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
  let isOwners = true;
  thread.on('message', (frame: ArrayBuffer) => onFrame(frame));
  thread.on('error', (error: Error) => (failure = error.message));
  thread.once('exit', (code) => ended.resolve(failure ?? `its thread ended with code ${code}`));
  return {
    post: (message, transfer) => {
      if (message.type === 'start') isOwners = message.source !== undefined;
      thread.postMessage(message, [...transfer]);
    },
    ended: ended.promise,
    terminate: () => {
      if (isOwners) {
        void thread.terminate();
        return;
      }
      // Dawn aborts the whole process when a thread ends that waits for it ("Promise not resolved or rejected").
      const timer = setTimeout(() => void thread.terminate(), END_TIMEOUT_MS);
      void ended.promise.then(() => clearTimeout(timer));
      thread.postMessage({ type: 'end' } satisfies ToThread);
    },
  };
};
