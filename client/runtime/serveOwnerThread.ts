// The thread of an owner's code: its first message says what it is for, a program or a training loop. It knows neither the
// network nor the coordinator; what it needs of them it asks of the worker's main thread.

import { isLoopStart } from '../ownerLoop/loopMessages.ts';
import { serveLoop } from './serveLoop.ts';
import { serveProgram } from '../program/serveProgram.ts';
import type { ThreadPlatform } from '../thread/threadPlatform.ts';
import type { ThreadPort } from '../thread/threadPort.ts';

/** Returns at once; serves until the thread is ended. */
export function serveOwnerThread(port: ThreadPort, platform: ThreadPlatform): void {
  let receive: ((message: unknown) => void) | undefined;
  port.onMessage((message) => {
    receive ??= isLoopStart(message) ? serveLoop(port, platform) : serveProgram(port, platform);
    receive(message);
  });
}
