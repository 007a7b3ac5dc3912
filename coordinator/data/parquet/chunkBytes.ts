// The compressed bytes of one column chunk, fetched in windows so that a huge chunk never lies in memory whole.

import type { ByteFile } from '../store/byteFile.ts';

/** Small enough to hold a few columns at once, large enough that a round trip of a web server does not show. */
const WINDOW_BYTES = 4 * 1024 * 1024;

export class ChunkBytes {
  readonly #file: ByteFile;
  readonly #end: number;
  readonly #signal: AbortSignal | undefined;
  #window: Uint8Array;
  /** File offset of the window. */
  #windowStart: number;
  #position: number;

  /** @param prefetched bytes of the file from `start` on, when they are there already. */
  constructor(file: ByteFile, start: number, end: number, signal?: AbortSignal, prefetched?: Uint8Array) {
    this.#file = file;
    this.#end = end;
    this.#signal = signal;
    this.#window = prefetched ?? new Uint8Array(0);
    this.#windowStart = start;
    this.#position = start;
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  /** At least `wanted` bytes from the position on, fewer only at the end of the chunk. Doesn't move. */
  async peek(wanted: number): Promise<Uint8Array> {
    const from = this.#position - this.#windowStart;
    const needed = Math.min(wanted, this.remaining);
    if (this.#window.length - from < needed) {
      const end = Math.min(this.#end, this.#position + Math.max(needed, WINDOW_BYTES));
      this.#window = await this.#file.read(this.#position, end, this.#signal);
      this.#windowStart = this.#position;
      return this.#window;
    }
    return this.#window.subarray(from);
  }

  /** The next `size` bytes. @throws Error when the chunk ends before. */
  async take(size: number): Promise<Uint8Array> {
    if (size > this.remaining)
      throw new Error(`a page of ${size} bytes in a chunk with ${this.remaining} left`);
    const bytes = (await this.peek(size)).subarray(0, size);
    this.#position += size;
    return bytes;
  }

  skip(size: number): void {
    this.#position += size;
  }
}
