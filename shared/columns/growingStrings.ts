// Text entries of a dictionary that becomes longer while it is read: with plain pages of Parquet, with deltas of Arrow.

import * as arrow from 'apache-arrow';
import { arrowData } from './arrowData.ts';
import { withOrigin } from './dictionaryOrigin.ts';

const MAX_BYTES = 0x7fff_ffff;

/** Entry i is data[offsets[i], offsets[i+1]). Memory doubles as it grows, so that an entry is moved once or twice in all. */
export class GrowingStrings {
  #offsets: Int32Array;
  #data: Uint8Array;
  #length: number;
  #vector: arrow.Vector | undefined;

  /** Takes the first entries as they are: they are not copied until there are more. */
  constructor(offsets: Int32Array = new Int32Array(1), data: Uint8Array = new Uint8Array(0), length = 0) {
    this.#offsets = offsets.subarray(0, length + 1);
    this.#data = data;
    this.#length = length;
  }

  get length(): number {
    return this.#length;
  }

  /** Adds the entries [start, end) of others. @throws Error beyond 2 GiB */
  append(offsets: Int32Array, data: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    const count = end - start;
    const from = offsets[start]!;
    const bytes = offsets[end]! - from;
    const usedBytes = this.#offsets[this.#length]!;
    if (usedBytes + bytes > MAX_BYTES) throw new Error('the entries of a dictionary exceed 2 GiB');
    this.#reserve(this.#length + count + 1, usedBytes + bytes);
    this.#data.set(data.subarray(from, from + bytes), usedBytes);
    for (let i = 1; i <= count; i++) {
      this.#offsets[this.#length + i] = usedBytes + offsets[start + i]! - from;
    }
    this.#length += count;
    this.#vector = undefined;
  }

  /** The entries so far: it stays as it is when there are more, and shares memory with later ones. */
  vector(): arrow.Vector {
    const bytes = this.#offsets[this.#length]!;
    const entries = (): arrow.Data =>
      arrowData({
        type: new arrow.Utf8(),
        length: this.#length,
        nullCount: 0,
        valueOffsets: this.#offsets.subarray(0, this.#length + 1),
        data: this.#data.subarray(0, bytes),
      });
    return (this.#vector ??= withOrigin(new arrow.Vector([entries()]), this));
  }

  #reserve(offsets: number, bytes: number): void {
    if (offsets > this.#offsets.length) {
      const larger = new Int32Array(Math.max(offsets, 2 * this.#offsets.length));
      larger.set(this.#offsets);
      this.#offsets = larger;
    }
    if (bytes > this.#data.length) {
      const larger = new Uint8Array(Math.min(MAX_BYTES, Math.max(bytes, 2 * this.#data.length)));
      larger.set(this.#data);
      this.#data = larger;
    }
  }
}
