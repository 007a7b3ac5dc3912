// Entry point of a thread that helps to compute, in tabs and in Deno (dist/deno/jobThread.js).

import type { ThreadStart } from '../../kernels/wasm/wasmRuntime.ts';
import { serveJobs } from '../../kernels/wasm/wasmRuntime.ts';

const scope = globalThis as unknown as DedicatedWorkerGlobalScope;
scope.onmessage = ({ data }: MessageEvent<ThreadStart>) => {
  scope.postMessage('ready');
  serveJobs(data);
  scope.close();
};
