// Snappy's raw format, in which Parquet writers pack pages by default: a length, then literals and copies.
// https://github.com/google/snappy/blob/main/format_description.txt

/** Shorter pieces are moved byte by byte: a call takes longer. */
const CALL_PAYS_BYTES = 24;

/** What the bytes unpack to by their own word. @throws Error when they do not say. */
export function snappyLength(bytes: Uint8Array): number {
  return contentLength(bytes).value;
}

/**
 * @param out as many bytes as snappyLength says; all are written.
 * @throws Error when the bytes are damaged, or their content is longer or shorter than they say.
 */
export function unpackSnappy(bytes: Uint8Array, out: Uint8Array): Uint8Array {
  const size = out.length;
  const { end: start } = contentLength(bytes);
  let from = start;
  let to = 0;
  while (from < bytes.length) {
    const tag = bytes[from++]!;
    if ((tag & 3) === 0) {
      let length = tag >> 2;
      if (length >= 60) {
        const width = length - 59;
        length = littleEndian(bytes, from, width);
        from += width;
      }
      length += 1;
      if (from + length > bytes.length || to + length > size) throw new Error('a Snappy literal is cut off');
      if (length < CALL_PAYS_BYTES) for (let i = 0; i < length; i++) out[to + i] = bytes[from + i]!;
      else out.set(bytes.subarray(from, from + length), to);
      from += length;
      to += length;
      continue;
    }
    let length = (tag >> 2) + 1;
    let distance: number;
    if ((tag & 3) === 1) {
      length = 4 + ((tag >> 2) & 7);
      distance = ((tag >> 5) << 8) | (bytes[from] ?? 0);
      from += 1;
    } else {
      const width = (tag & 3) === 2 ? 2 : 4;
      distance = littleEndian(bytes, from, width);
      from += width;
    }
    if (distance === 0 || distance > to || to + length > size) throw new Error('a Snappy copy leads outside');
    // Copies may overlap what they write.
    if (distance >= length && length >= CALL_PAYS_BYTES) {
      out.copyWithin(to, to - distance, to - distance + length);
    } else for (let i = 0; i < length; i++) out[to + i] = out[to + i - distance]!;
    to += length;
  }
  if (to !== size) throw new Error(`a Snappy page of ${size} bytes ends after ${to}`);
  return out;
}

function contentLength(bytes: Uint8Array): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let at = 0, shift = 0; ; at++, shift += 7) {
    const byte = bytes[at];
    if (byte === undefined || shift > 28) throw new Error('a Snappy page without its length');
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, end: at + 1 };
  }
}

/** Bytes beyond the end count as zero: what is read of them leads outside, or ends too early. */
function littleEndian(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = 0; i < width; i++) value |= (bytes[at + i] ?? 0) << (8 * i);
  return value >>> 0;
}
