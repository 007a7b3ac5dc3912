// Threads that help a Node worker to compute.

import { Worker } from 'node:worker_threads';
import type { StartThread } from '../../kernels/wasm/wasmRuntime.ts';
import { deferred } from '../../shared/deferred.ts';

/** @param program the file of jobThread.node.ts, beside the worker's own. */
export function nodeThreads(program = new URL('./jobThread.js', import.meta.url)): StartThread {
  return async (start) => {
    const thread = new Worker(program, {
      argv: [],
      execArgv: [],
      env: {},
      workerData: start,
    });
    // A thread that sleeps between jobs does not keep the process up.
    thread.unref();
    const ended = deferred<string>();
    let failure: string | undefined;
    thread.on('error', (error: Error) => (failure = error.message));
    thread.once('exit', (code) => ended.resolve(failure ?? `it ended with code ${code}`));
    const ready = new Promise<void>((resolve) => thread.once('message', () => resolve()));
    const early = await Promise.race([ready, ended.promise]);
    if (early !== undefined) throw new Error(`A thread of the processor did not start: ${early}`);
    return { terminate: () => void thread.terminate() };
  };
}
