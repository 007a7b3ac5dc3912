// The thread of an owner's code without a thread: it shares this one, and messages are copied as between threads.

import { MessageChannel } from 'node:worker_threads';
import { serveOwnerThread } from '../../client/runtime/serveOwnerThread.ts';
import { importDataUrl } from '../../client/thread/importDataUrl.node.ts';
import type { OpenOwnerThread } from '../../client/thread/threadPort.ts';
import { deferred } from '../../shared/deferred.ts';

export const inlineOwnerThread: OpenOwnerThread = (onMessage) => {
  const { port1, port2 } = new MessageChannel();
  const ended = deferred<string>();
  const end = (how: string): void => {
    port1.close();
    ended.resolve(how);
  };
  port1.on('message', onMessage);
  serveOwnerThread(
    {
      post: (message, transfer) => port2.postMessage(message, [...transfer]),
      onMessage: (receive) => void port2.on('message', receive),
      end: () => end('it ended'),
    },
    { importText: importDataUrl, openGpu: async () => ({ missing: 'there is none in this test' }) },
  );
  return {
    post: (message, transfer) => port1.postMessage(message, [...transfer]),
    ended: ended.promise,
    terminate: () => end('it was ended'),
  };
};
