// Entry point of the thread of an owner's code in Node (dist/node/ownerThread.js).

import { parentPort } from 'node:worker_threads';
import { importDataUrl } from '../thread/importDataUrl.node.ts';
import { nodeGpuAccess } from './acquireDevice.node.ts';
import type { OpenGpu } from '../thread/findAdapter.ts';
import { PendingGpuPromises } from './pendingGpuPromises.node.ts';
import { serveOwnerThread } from './serveOwnerThread.ts';

const port = parentPort!;
const gpuPromises = new PendingGpuPromises();
const access = nodeGpuAccess();
let isWatched = false;
const openGpu: OpenGpu = async () => {
  const found = await access();
  if ('gpu' in found && !isWatched) gpuPromises.watch(globalThis);
  isWatched ||= 'gpu' in found;
  return found;
};

serveOwnerThread(
  {
    post: (message, transfer) => port.postMessage(message, [...transfer]),
    onMessage: (receive) => void port.on('message', receive),
    end: () => void gpuPromises.none().then(() => process.exit()),
  },
  { importText: importDataUrl, openGpu },
);
