// Threads that help a Deno worker to compute, without any permission.

import type { StartThread } from '../../kernels/wasm/wasmRuntime.ts';
import { withoutPermissions } from './openOwnerThread.deno.ts';
import { webJobThread } from './webJobThread.ts';

export const denoThreads: StartThread = (start) =>
  webJobThread(new Worker(new URL('./jobThread.js', import.meta.url), withoutPermissions), start);
