// The compressed bytes of one column chunk, fetched in windows so that a huge chunk never lies in memory whole.

import type { ByteFile } from '../store/byteFile.ts';

/** Small enough to hold a few columns at once, large enough that a round trip of a web server does not show. */
const WINDOW_BYTES = 4 * 1024 * 1024;

/** Where a chunk lies in its file. */
export interface ChunkRange {
  readonly start: number;
  /** As the footer says. */
  readonly end: number;
  /** Where something else begins. Writers have miscounted, so that the last page goes on behind `end`. */
  readonly limit: number;
}

export class ChunkBytes {
  readonly #file: ByteFile;
  readonly #range: ChunkRange;
  readonly #signal: AbortSignal | undefined;
  #window: Uint8Array;
  /** File offset of the window. */
  #windowStart: number;
  #position: number;

  /** @param prefetched bytes of the file from the chunk's start on, when they are there already. */
  constructor(file: ByteFile, range: ChunkRange, signal?: AbortSignal, prefetched?: Uint8Array) {
    this.#file = file;
    this.#range = range;
    this.#signal = signal;
    this.#window = prefetched ?? new Uint8Array(0);
    this.#windowStart = range.start;
    this.#position = range.start;
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#range.limit;
  }

  get remaining(): number {
    return this.#range.limit - this.#position;
  }

  /**
   * At least `wanted` bytes from the position on, fewer only at the end of the chunk. Doesn't move.
   * @param beyond whether that end is the limit, and not what the footer says.
   */
  async peek(wanted: number, beyond = false): Promise<Uint8Array> {
    const { end, limit } = this.#range;
    const from = this.#position - this.#windowStart;
    const needed = Math.min(wanted, (beyond || this.#position >= end ? limit : end) - this.#position);
    if (this.#window.length - from < needed) {
      const rest = Math.min(WINDOW_BYTES, end - this.#position);
      this.#window = await this.#file.read(
        this.#position,
        this.#position + Math.max(needed, rest),
        this.#signal,
      );
      this.#windowStart = this.#position;
      return this.#window;
    }
    return this.#window.subarray(from);
  }

  /** The next `size` bytes. @throws Error when the chunk ends before. */
  async take(size: number): Promise<Uint8Array> {
    if (size > this.remaining)
      throw new Error(`a page of ${size} bytes in a chunk with ${this.remaining} left`);
    const bytes = (await this.peek(size, true)).subarray(0, size);
    this.#position += size;
    return bytes;
  }

  skip(size: number): void {
    this.#position += size;
  }
}
