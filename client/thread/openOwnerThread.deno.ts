// Starts the thread of an owner's code in Deno, without any permission: what it is made of is read by the worker's. Threads
// that it starts itself have no more. `tabgrad worker` allows this option (--unstable-worker-options), and keeps Deno from
// fetching modules of others by itself, which no permission covers.

import type { OpenOwnerThread } from './threadPort.ts';
import { webOwnerThread } from './webOwnerThread.ts';

interface DenoWorkerOptions extends WorkerOptions {
  readonly deno: { readonly permissions: Readonly<Record<string, false>> };
}

export const withoutPermissions: DenoWorkerOptions = {
  type: 'module',
  deno: {
    permissions: {
      env: false,
      ffi: false,
      import: false,
      net: false,
      read: false,
      run: false,
      sys: false,
      write: false,
    },
  },
};

export const openOwnerThread: OpenOwnerThread = (onMessage) =>
  webOwnerThread(new Worker(new URL('./ownerThread.js', import.meta.url), withoutPermissions), onMessage);
