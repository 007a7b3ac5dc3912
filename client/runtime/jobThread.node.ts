// Entry point of a thread that helps a Node worker to compute (dist/node/jobThread.js).

import { parentPort, workerData } from 'node:worker_threads';
import type { ThreadStart } from '../../kernels/wasm/wasmRuntime.ts';
import { serveJobs } from '../../kernels/wasm/wasmRuntime.ts';

parentPort!.postMessage('ready');
serveJobs(workerData as ThreadStart);
