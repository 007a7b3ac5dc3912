// Threads of Node that help with the jobs of WebAssembly, for tests: each runs the module over the shared memory.

import { Worker } from 'node:worker_threads';
import type { StartThread } from '../../kernels/wasm/wasmRuntime.ts';

/** As `serveJobs` does. */
const served = `
const { workerData: { module, memory, control, thread } } = require('node:worker_threads');
new WebAssembly.Instance(module, { env: { memory } }).exports.serve(control, thread);
`;

export const startNodeThread: StartThread = (start) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(served, { eval: true, workerData: start });
    const ended = new Promise<string>((end) => {
      worker.once('error', (error) => end(String(error)));
      worker.once('exit', (code) => end(`it ended with code ${code}`));
    });
    worker.once('error', reject);
    worker.once('online', () => resolve({ ended, terminate: () => void worker.terminate() }));
  });
