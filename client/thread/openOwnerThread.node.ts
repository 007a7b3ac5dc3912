// Starts the thread of an owner's code in Node. It keeps the process's variables and arguments from it, and its memory in
// bounds; it is no sandbox: Node's code can do what the process may.

import { totalmem } from 'node:os';
import { Worker } from 'node:worker_threads';
import { deferred } from '../../shared/deferred.ts';
import type { EndThread, OpenOwnerThread } from './threadPort.ts';

/** For what tabgrad's own code has in hand; whatever it computes on answers, or is lost, in that time. */
const END_TIMEOUT_MS = 30_000;

/** Of JavaScript objects; arrays of numbers lie beside them. A thread that takes more is ended, and not its process. */
const MAX_HEAP_MIB = 4096;
const heapMiB = Math.min(MAX_HEAP_MIB, Math.floor(totalmem() / 2 / 1024 ** 2));

export const openOwnerThread: OpenOwnerThread = (onMessage) => {
  // What it prints goes to standard error: standard output is the worker's own.
  const thread = new Worker(new URL('./ownerThread.js', import.meta.url), {
    argv: [],
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: heapMiB },
    stdout: true,
  });
  thread.stdout.pipe(process.stderr, { end: false });
  const ended = deferred<string>();
  let failure: string | undefined;
  thread.on('message', onMessage);
  thread.on('error', (error: Error) => (failure = error.message));
  thread.once('exit', (code) => ended.resolve(failure ?? `its thread ended with code ${code}`));
  return {
    post: (message, transfer) => thread.postMessage(message, [...transfer]),
    ended: ended.promise,
    terminate: (how) => {
      if (how === 'at once') {
        void thread.terminate();
        return;
      }
      // Dawn aborts the whole process when a thread ends that waits for it ("Promise not resolved or rejected").
      const timer = setTimeout(() => void thread.terminate(), END_TIMEOUT_MS);
      void ended.promise.then(() => clearTimeout(timer));
      thread.postMessage({ type: 'end' } satisfies EndThread);
    },
  };
};
