// Entry point of a program's thread in Node (dist/node/programThread.js).

import { parentPort } from 'node:worker_threads';
import { nodeGpuAccess } from '../runtime/acquireDevice.node.ts';
import { importDataUrl } from './importDataUrl.node.ts';
import { serveProgram } from './serveProgram.ts';
import type { ToThread } from './threadMessages.ts';

const port = parentPort!;
serveProgram(
  {
    post: (frame) => port.postMessage(frame, [frame]),
    onMessage: (receive) => void port.on('message', (message: ToThread) => receive(message)),
    end: () => process.exit(),
  },
  { importText: importDataUrl, openGpu: nodeGpuAccess() },
);
