// Threads of the processor for tests and benches, which run from source: those of the built worker.

import { nodeThreads } from '../../client/thread/startJobThread.node.ts';
import type { ThreadChoice } from '../../kernels/wasm/wasmRuntime.ts';

/** Threads that are there from the start. */
export function jobThreads(threads: number): ThreadChoice {
  const program = new URL('../../dist/node/jobThread.js', import.meta.url);
  return { threads, startThread: nodeThreads(program), startAfterMs: 0 };
}
