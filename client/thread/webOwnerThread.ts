// The thread of an owner's code where threads are the web's workers: tabs and Deno.

import { deferred } from '../../shared/deferred.ts';
import type { OwnerThread } from './threadPort.ts';

export function webOwnerThread(
  thread: globalThis.Worker,
  onMessage: (message: unknown) => void,
): OwnerThread {
  const ended = deferred<string>();
  thread.onmessage = (event: MessageEvent<unknown>) => onMessage(event.data);
  thread.onerror = (event) => {
    // Deno ends the process for an error event that is not prevented.
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
