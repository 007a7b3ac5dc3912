// Threads that help to compute, where threads are the web's workers: tabs and Deno.

import type { HelpingThread, ThreadStart } from '../../kernels/wasm/wasmRuntime.ts';
import { deferred } from '../../shared/deferred.ts';

/** Resolves once the thread is there. Rejects when it can't be. */
export async function webJobThread(thread: globalThis.Worker, start: ThreadStart): Promise<HelpingThread> {
  const ended = deferred<string>();
  const ready = new Promise<void>((resolve) => {
    thread.onmessage = () => resolve();
  });
  const end = (reason: string): void => {
    thread.terminate();
    ended.resolve(reason);
  };
  thread.onerror = (event) => {
    // Deno ends the process for an error event that is not prevented.
    event.preventDefault();
    end(event.message || 'it could not be loaded');
  };
  try {
    thread.postMessage(start);
  } catch (error) {
    thread.terminate();
    throw error;
  }
  const early = await Promise.race([ready, ended.promise]);
  if (early !== undefined) throw new Error(`A thread of the processor did not start: ${early}`);
  return { terminate: () => thread.terminate() };
}
