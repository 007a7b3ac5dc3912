// What this member sends to one peer in one step of a collective. Holds the sender to the receiver's window.

import { deferred, type Deferred } from '../../shared/deferred.ts';
import { WINDOW_BYTES } from './inStream.ts';

export class OutStream {
  readonly peer: string;
  readonly totalBytes: number;
  #sentBytes = 0;
  #consumedBytes = 0;
  #waiting: Deferred<void> | undefined;

  constructor(peer: string, totalBytes: number) {
    this.peer = peer;
    this.totalBytes = totalBytes;
  }

  get complete(): boolean {
    return this.#sentBytes === this.totalBytes;
  }

  /** The receiver has consumed this much. */
  credit(consumedBytes: number): void {
    // Never more than was sent, whatever the peer claims.
    this.#consumedBytes = Math.max(this.#consumedBytes, Math.min(consumedBytes, this.#sentBytes));
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  /** Resolves when the window may have opened; undefined when `bytes` more fit now. */
  windowFor(bytes: number): Promise<void> | undefined {
    if (this.#sentBytes + bytes <= this.#consumedBytes + WINDOW_BYTES) return undefined;
    this.#waiting ??= deferred<void>();
    return this.#waiting.promise;
  }

  /** @returns The offset of the bytes that are being sent. */
  advance(bytes: number): number {
    const offset = this.#sentBytes;
    this.#sentBytes += bytes;
    return offset;
  }
}
