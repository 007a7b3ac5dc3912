// One peer's contribution to one step of a collective, as it arrives: a contiguous run of bytes, cut wherever the
// sender's messages end. What has been consumed is credited to the sender, so that the bytes waiting here are bounded.

import { FrameInvalidError, type ElementType, type Frame } from '../../shared/wire/frame.ts';
import { deferred, type Deferred } from '../../shared/deferred.ts';

/**
 * Bytes a sender may be ahead of what its receiver consumed, per stream. Large enough that a stream of histograms never
 * waits for credit, and that 80 ms of round trip still carry 50 MB/s; small enough to bound memory.
 */
export const WINDOW_BYTES = 4 * 1024 * 1024;

export class InStream {
  readonly peer: string;
  readonly #credit: (consumedBytes: number, totalBytes: number) => void;
  readonly #pieces: Uint8Array[] = [];
  #arrivedBytes = 0;
  #consumedBytes = 0;
  #creditedBytes = 0;
  #totalBytes: number | undefined;
  #elementType: ElementType | undefined;
  #waiting: Deferred<void> | undefined;

  constructor(peer: string, credit: (consumedBytes: number, totalBytes: number) => void) {
    this.peer = peer;
    this.#credit = credit;
  }

  /** Whether everything that belongs to the stream has arrived. */
  get complete(): boolean {
    return this.#arrivedBytes === this.#totalBytes;
  }

  get totalBytes(): number | undefined {
    return this.#totalBytes;
  }

  /** States what this member expects. @throws FrameInvalidError when the peer announced something else. */
  expect(elementType: ElementType, totalBytes: number | undefined): void {
    this.#agree(elementType, totalBytes);
  }

  accept(frame: Frame): void {
    this.#agree(frame.elementType, frame.totalBytes);
    const { payload } = frame;
    if (frame.offset !== this.#arrivedBytes || this.#arrivedBytes + payload.length > frame.totalBytes) {
      throw this.#invalid(`bytes ${frame.offset}+${payload.length} where ${this.#arrivedBytes} was next`);
    }
    this.#arrivedBytes += payload.length;
    if (this.#arrivedBytes - this.#consumedBytes > WINDOW_BYTES) {
      throw this.#invalid(`more than ${WINDOW_BYTES} bytes ahead of what was consumed`);
    }
    if (payload.length > 0) this.#pieces.push(payload);
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  /** Resolves when `take` has something to give or the stream is complete; undefined when that is so already. */
  available(): Promise<void> | undefined {
    if (this.#pieces.length > 0 || this.complete) return undefined;
    this.#waiting ??= deferred<void>();
    return this.#waiting.promise;
  }

  /** The next bytes, at most `limit`; empty when none are here. */
  take(limit: number): Uint8Array {
    const first = this.#pieces[0];
    if (first === undefined) return new Uint8Array(0);
    const piece = first.length <= limit ? first : first.subarray(0, limit);
    if (piece === first) this.#pieces.shift();
    else this.#pieces[0] = first.subarray(limit);
    this.#consumedBytes += piece.length;
    this.#creditConsumed();
    return piece;
  }

  #creditConsumed(): void {
    const total = this.#totalBytes ?? 0;
    // A sender whose window reaches the end needs no more credit.
    if (this.#creditedBytes + WINDOW_BYTES >= total) return;
    if (this.#consumedBytes - this.#creditedBytes < WINDOW_BYTES / 4) return;
    this.#creditedBytes = this.#consumedBytes;
    this.#credit(this.#consumedBytes, total);
  }

  #agree(elementType: ElementType, totalBytes: number | undefined): void {
    if (this.#elementType !== undefined && this.#elementType !== elementType) {
      throw this.#invalid(`${elementType} meets ${this.#elementType}: members call different collectives`);
    }
    this.#elementType = elementType;
    if (totalBytes === undefined) return;
    if (this.#totalBytes !== undefined && this.#totalBytes !== totalBytes) {
      throw this.#invalid(
        `${totalBytes} bytes meet ${this.#totalBytes}: members call with different lengths`,
      );
    }
    this.#totalBytes = totalBytes;
  }

  #invalid(what: string): FrameInvalidError {
    return new FrameInvalidError(`The stream from peer ${this.peer} does not fit: ${what}.`, {
      peer: this.peer,
    });
  }
}
