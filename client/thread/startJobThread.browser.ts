// Threads that help a tab to compute: dedicated workers below its compute worker. Memory is shared in pages that are isolated from
// those of other origins alone, which the coordinator's are.

import type { StartThread } from '../../kernels/wasm/wasmRuntime.ts';
import { webJobThread } from './webJobThread.ts';

export function browserThreads(): StartThread | undefined {
  if (!globalThis.crossOriginIsolated) return undefined;
  return (start) =>
    webJobThread(
      new Worker(new URL('../runtime/jobThread.web.ts', import.meta.url), { type: 'module' }),
      start,
    );
}
