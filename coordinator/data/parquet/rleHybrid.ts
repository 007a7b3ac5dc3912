// Parquet's run-length / bit-packed hybrid: definition levels, repetition levels, dictionary codes and booleans.
// https://parquet.apache.org/docs/file-format/data-pages/encodings/

/** Bytes with a position. Reading past the end gives zeros; the caller checks `position` afterwards. */
export interface ByteCursor {
  readonly bytes: Uint8Array;
  position: number;
  readonly end: number;
}

export function cursorOf(bytes: Uint8Array, position = 0, end = bytes.length): ByteCursor {
  return { bytes, position, end };
}

export function requireInside(cursor: ByteCursor): void {
  if (cursor.position > cursor.end) {
    throw new Error(`values run to byte ${cursor.position} of a page that ends at ${cursor.end}`);
  }
}

/** Unsigned LEB128 up to 32 bits. */
export function readVarint(cursor: ByteCursor): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    if (cursor.position >= cursor.end) throw new Error('a number is cut off');
    const byte = cursor.bytes[cursor.position++] ?? 0;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value >>> 0;
  }
  throw new Error('a number is longer than 32 bits');
}

/** Reads the hybrid in pieces: a run of millions of values is a few bytes, and is not made an array of at once. */
export class HybridReader {
  readonly #cursor: ByteCursor;
  readonly #width: number;
  /** What is left of the run that was begun. */
  #left = 0;
  #value = 0;
  /** First bit of a run of packed values that was begun; undefined in a run of one value. */
  #packedBit: number | undefined;

  /** @param width bits of a value, 0 to 32. Values of no bits are zeros, and take no bytes. */
  constructor(cursor: ByteCursor, width: number) {
    if (width > 32) throw new Error(`bit width ${width} is impossible`);
    this.#cursor = cursor;
    this.#width = width;
    if (width === 0) this.#left = Infinity;
  }

  /**
   * The next `count` values into out[start, start + count).
   * @returns the largest of them.
   * @throws Error when the bytes end before.
   */
  read(count: number, out: Int32Array | Uint8Array, start = 0): number {
    let max = 0;
    for (let at = start, end = start + count; at < end;) {
      if (this.#left === 0) this.#nextRun();
      const take = Math.min(this.#left, end - at);
      if (this.#packedBit === undefined) {
        out.fill(this.#value, at, at + take);
        max = Math.max(max, this.#value >>> 0);
      } else {
        max = Math.max(max, this.#unpack(take, out, at));
      }
      this.#left -= take;
      at += take;
    }
    return max;
  }

  /**
   * Passes over the next `count` values where they are `value`, all in one run.
   * @returns whether it did; where not, they are still to be read.
   * @throws Error when the bytes end before.
   */
  readRun(count: number, value: number): boolean {
    if (this.#left === 0 && count > 0) this.#nextRun();
    if (this.#packedBit !== undefined || this.#left < count || this.#value !== value) return false;
    this.#left -= count;
    return true;
  }

  #nextRun(): void {
    const cursor = this.#cursor;
    const header = readVarint(cursor);
    const length = header >>> 1;
    if (length === 0) throw new Error('an empty run');
    if ((header & 1) === 1) {
      this.#left = length * 8;
      this.#packedBit = cursor.position * 8;
      // The last group may be padded, and writers may cut its unused bytes.
      cursor.position = Math.min(cursor.position + length * this.#width, cursor.end);
      return;
    }
    let value = 0;
    for (let bits = 0; bits < this.#width; bits += 8) value |= (cursor.bytes[cursor.position++] ?? 0) << bits;
    requireInside(cursor);
    this.#left = length;
    this.#value = value;
    this.#packedBit = undefined;
  }

  #unpack(count: number, out: Int32Array | Uint8Array, start: number): number {
    const bit = this.#packedBit!;
    const next = bit + count * this.#width;
    const { bytes, end } = this.#cursor;
    requireInside({ bytes, position: Math.ceil(next / 8), end });
    this.#packedBit = next;
    return unpackBits(bytes, bit, this.#width, count, out, start);
  }
}

/** Unpacks `count` values of `width` bits that begin at bit `from`, least significant first; returns the largest. */
export function unpackBits(
  bytes: Uint8Array,
  from: number,
  width: number,
  count: number,
  out: Int32Array | Uint8Array,
  start: number,
): number {
  let position = Math.floor(from / 8);
  const skipped = from & 7;
  if (width === 8 && skipped === 0) {
    let max = 0;
    for (let i = 0; i < count; i++) {
      const value = bytes[position++]!;
      out[start + i] = value;
      if (value > max) max = value;
    }
    return max;
  }
  if (width > 24) return unpackWide(bytes, position, skipped, width, count, out, start);
  const mask = (1 << width) - 1;
  let max = 0;
  let buffer = skipped === 0 ? 0 : bytes[position++]! >>> skipped;
  let bits = skipped === 0 ? 0 : 8 - skipped;
  for (let i = start, end = start + count; i < end; i++) {
    while (bits < width) {
      buffer |= bytes[position++]! << bits;
      bits += 8;
    }
    const value = buffer & mask;
    buffer >>>= width;
    bits -= width;
    out[i] = value;
    if (value > max) max = value;
  }
  return max;
}

/** Widths whose bits don't fit a 32-bit buffer along with a partial byte. */
function unpackWide(
  bytes: Uint8Array,
  from: number,
  skipped: number,
  width: number,
  count: number,
  out: Int32Array | Uint8Array,
  start: number,
): number {
  let position = from;
  const modulus = 2 ** width;
  let max = 0;
  let buffer = skipped === 0 ? 0 : bytes[position++]! >>> skipped;
  let bits = skipped === 0 ? 0 : 8 - skipped;
  for (let i = 0; i < count; i++) {
    while (bits < width) {
      buffer += (bytes[position++] ?? 0) * 2 ** bits;
      bits += 8;
    }
    const value = buffer % modulus;
    buffer = (buffer - value) / modulus;
    bits -= width;
    out[start + i] = value;
    if (value > max) max = value;
  }
  return max;
}
