// Entry point of a program's thread in Node (dist/node/programThread.js).

import { Buffer } from 'node:buffer';
import { parentPort } from 'node:worker_threads';
import { serveProgram } from './serveProgram.ts';
import type { ToThread } from './threadMessages.ts';

const port = parentPort!;
serveProgram(
  {
    post: (frame) => port.postMessage(frame, [frame]),
    onMessage: (receive) => void port.on('message', (message: ToThread) => receive(message)),
  },
  (source) => {
    // Node imports no blob: addresses.
    const url = `data:text/javascript;base64,${Buffer.from(source).toString('base64')}`;
    return { url, module: import(url) };
  },
);
