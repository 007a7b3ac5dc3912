// Starts the thread of an owner's code in a tab: a dedicated worker below the compute worker. The tokens of page and compute
// worker, and the page's way to WebRTC, are in other threads.

import type { OpenOwnerThread } from './threadPort.ts';
import { webOwnerThread } from './webOwnerThread.ts';

export const openOwnerThread: OpenOwnerThread = (onMessage) =>
  webOwnerThread(
    new Worker(new URL('../runtime/ownerThread.browser.ts', import.meta.url), { type: 'module' }),
    onMessage,
  );
