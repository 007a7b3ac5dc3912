// Starts the thread of an owner's code in Deno, without permissions but to read what it is made of. Threads that it starts
// itself have no more. `tabgrad worker` allows this option (--unstable-worker-options), and keeps Deno from fetching
// modules of others by itself, which no permission covers.

import type { OpenProgramThread } from './threadMessages.ts';
import { webProgramThread } from './webProgramThread.ts';

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

export const openProgramThread: OpenProgramThread = (onFrame) =>
  webProgramThread(new Worker(new URL('./programThread.js', import.meta.url), options), onFrame);
