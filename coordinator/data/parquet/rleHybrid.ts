// Parquet's run-length / bit-packed hybrid: definition levels, repetition levels, dictionary codes and booleans.
// https://parquet.apache.org/docs/file-format/data-pages/encodings/

/** Bytes with a position. Reading past the end gives zeros; whoever reads checks `position` afterwards. */
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

/**
 * Reads `count` values of `width` bits (0..32) into out[0..count).
 * @returns the largest value read.
 */
export function readHybrid(
  cursor: ByteCursor,
  width: number,
  count: number,
  out: Int32Array | Uint8Array,
): number {
  if (width < 0 || width > 32) throw new Error(`bit width ${width} is impossible`);
  let seen = 0;
  let max = 0;
  while (seen < count) {
    const header = readVarint(cursor);
    if ((header & 1) === 1) {
      const packed = (header >>> 1) * 8;
      // The last group may be padded, and writers may cut its unused bytes.
      const wanted = Math.min(packed, count - seen);
      const used = Math.ceil((wanted * width) / 8);
      if (packed === 0) throw new Error('an empty run of packed values');
      max = Math.max(max, unpackBits(cursor, width, wanted, out, seen));
      cursor.position += used;
      requireInside(cursor);
      cursor.position = Math.min(cursor.position - used + (packed * width) / 8, cursor.end);
      seen += wanted;
    } else {
      const run = header >>> 1;
      if (run === 0) throw new Error('an empty run');
      let value = 0;
      for (let bits = 0; bits < width; bits += 8) {
        value |= (cursor.bytes[cursor.position++] ?? 0) << bits;
      }
      requireInside(cursor);
      const end = Math.min(seen + run, count);
      out.fill(value, seen, end);
      max = Math.max(max, value >>> 0);
      seen = end;
    }
  }
  return max;
}

/** Unpacks from the cursor without moving it; returns the largest value. */
export function unpackBits(
  cursor: ByteCursor,
  width: number,
  count: number,
  out: Int32Array | Uint8Array,
  start: number,
): number {
  const { bytes } = cursor;
  let position = cursor.position;
  if (width === 8) {
    let max = 0;
    for (let i = 0; i < count; i++) {
      const value = bytes[position++]!;
      out[start + i] = value;
      if (value > max) max = value;
    }
    return max;
  }
  if (width > 24) return unpackWide(bytes, position, width, count, out, start);
  const mask = (1 << width) - 1;
  let max = 0;
  let buffer = 0;
  let bits = 0;
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
  position: number,
  width: number,
  count: number,
  out: Int32Array | Uint8Array,
  start: number,
): number {
  const modulus = 2 ** width;
  let max = 0;
  let buffer = 0;
  let bits = 0;
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
