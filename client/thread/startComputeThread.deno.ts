// Threads that help a Deno worker to compute, without any permission.

import type { StartThread } from '../../kernels/wasm/wasmRuntime.ts';
import { withoutPermissions } from './openOwnerThread.deno.ts';
import { webComputeThread } from './webComputeThread.ts';

export const denoThreads: StartThread = (start) =>
  webComputeThread(new Worker(new URL('./computeThread.js', import.meta.url), withoutPermissions), start);
