// Starts the thread of an owner's code in Deno, without permissions but to read what it is made of. Threads that it starts
// itself have no more. `tabgrad worker` allows this option (--unstable-worker-options), and keeps Deno from fetching
// modules of others by itself, which no permission covers.

import type { OpenOwnerThread } from './threadPort.ts';
import { webOwnerThread } from './webOwnerThread.ts';

interface DenoWorkerOptions extends WorkerOptions {
  readonly deno: { readonly permissions: Readonly<Record<string, false | readonly URL[]>> };
}

const options: DenoWorkerOptions = {
  type: 'module',
  deno: {
    permissions: {
      env: false,
      ffi: false,
      import: false,
      net: false,
      // Parts of its own code that are loaded when they are needed.
      read: [new URL('.', import.meta.url)],
      run: false,
      sys: false,
      write: false,
    },
  },
};

export const openOwnerThread: OpenOwnerThread = (onMessage) =>
  webOwnerThread(new Worker(new URL('./ownerThread.js', import.meta.url), options), onMessage);
