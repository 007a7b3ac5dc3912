// Starts the thread of a program in a tab.

import type { OpenProgramThread } from './threadMessages.ts';
import { webProgramThread } from './webProgramThread.ts';

export const openProgramThread: OpenProgramThread = (onFrame) =>
  webProgramThread(
    new Worker(new URL('./programThread.browser.ts', import.meta.url), { type: 'module' }),
    onFrame,
  );
