// Starts the thread of a program in Deno. It has the permissions of the process, which `tabgrad worker` keeps few.

import type { OpenProgramThread } from './threadMessages.ts';
import { webProgramThread } from './webProgramThread.ts';

export const openProgramThread: OpenProgramThread = (onFrame) =>
  webProgramThread(new Worker(new URL('./programThread.js', import.meta.url), { type: 'module' }), onFrame);
