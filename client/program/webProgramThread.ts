// A program's thread where threads are the web's workers: tabs and Deno.

import { deferred } from '../../shared/deferred.ts';
import type { ProgramThread } from './threadMessages.ts';

export function webProgramThread(
  thread: globalThis.Worker,
  onFrame: (frame: ArrayBuffer) => void,
): ProgramThread {
  const ended = deferred<string>();
  thread.onmessage = (event: MessageEvent<ArrayBuffer>) => onFrame(event.data);
  thread.onerror = (event) => {
    // Deno ends the process for an error that nobody prevents.
    event.preventDefault();
    ended.resolve(event.message || 'its thread could not be loaded');
    thread.terminate();
  };
  return {
    post: (message, transfer) => thread.postMessage(message, [...transfer]),
    ended: ended.promise,
    terminate: () => {
      thread.terminate();
      ended.resolve('its thread was ended');
    },
  };
}
