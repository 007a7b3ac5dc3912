// How a loop in its thread asks the worker's main thread for something.

import type { OwnerFunction } from './loadLoop.ts';

/** @param transfer memory of `what` that is given away. Rejects with what the main thread refused it for. */
export type AskMain = (what: object, transfer?: readonly ArrayBuffer[]) => Promise<unknown>;

/** Loads the owner's function, once what it may import is there. */
export type LoadOwnerFunction = () => Promise<OwnerFunction>;

/** A loop in its thread, ready to be called. */
export interface OpenLoop {
  /** @param place a LoopPlace of its kind. Rejects with what the loop threw, or did wrong and did not tell. */
  call(config: unknown, place: unknown): Promise<void>;
  /** Frees the device. */
  close(): Promise<void>;
}
