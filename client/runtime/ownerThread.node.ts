// Entry point of the thread of an owner's code in Node (dist/node/ownerThread.js).

import { parentPort } from 'node:worker_threads';
import { importDataUrl } from '../thread/importDataUrl.node.ts';
import { nodeGpuAccess } from './acquireDevice.node.ts';
import { serveOwnerThread } from './serveOwnerThread.ts';

const port = parentPort!;
serveOwnerThread(
  {
    post: (message, transfer) => port.postMessage(message, [...transfer]),
    onMessage: (receive) => void port.on('message', receive),
    end: () => process.exit(),
  },
  { importText: importDataUrl, openGpu: nodeGpuAccess() },
);
