// Parquet's delta encodings of integers and byte strings.
// https://parquet.apache.org/docs/file-format/data-pages/encodings/#DELTAENC

import { type ByteCursor, cursorOf, readVarint, requireInside } from './rleHybrid.ts';

interface DeltaHeader {
  readonly valuesPerMiniblock: number;
  readonly miniblocks: number;
}

/** Values that the encoded bytes say they have. */
export function deltaCount(bytes: Uint8Array): number {
  const cursor = cursorOf(bytes);
  readVarint(cursor);
  readVarint(cursor);
  return readVarint(cursor);
}

function readHeader(cursor: ByteCursor, count: number): DeltaHeader {
  const blockSize = readVarint(cursor);
  const miniblocks = readVarint(cursor);
  const total = readVarint(cursor);
  if (miniblocks === 0 || blockSize === 0 || blockSize % miniblocks !== 0 || miniblocks > 4096) {
    throw new Error(`a delta block of ${blockSize} values in ${miniblocks} miniblocks is impossible`);
  }
  if (total < count) throw new Error(`${total} delta values where ${count} are expected`);
  return { valuesPerMiniblock: blockSize / miniblocks, miniblocks };
}

/** Zigzag varint of up to 64 bits, as two's complement words. */
function readZigzagWords(cursor: ByteCursor): [low: number, high: number] {
  let low = 0;
  let high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (cursor.position >= cursor.end) throw new Error('a number is cut off');
    const byte = cursor.bytes[cursor.position++] ?? 0;
    const bits = byte & 0x7f;
    if (shift < 32) low |= bits << shift;
    if (shift > 25) high |= shift < 32 ? bits >>> (32 - shift) : bits << (shift - 32);
    if (byte < 0x80) {
      const sign = -(low & 1);
      return [((low >>> 1) | (high << 31)) ^ sign, (high >>> 1) ^ sign];
    }
  }
  throw new Error('a number is longer than 64 bits');
}

/** INT32 values; arithmetic wraps. Moves the cursor past the encoded values. */
export function decodeDelta32(cursor: ByteCursor, count: number): Int32Array {
  const wide = decodeDelta64(cursor, count);
  const out = new Int32Array(count);
  for (let i = 0; i < count; i++) out[i] = wide[2 * i]!;
  return out;
}

/** INT64 values as (low, high) words; arithmetic wraps at 64 bits. Moves the cursor past the encoded values. */
export function decodeDelta64(cursor: ByteCursor, count: number): Int32Array {
  const out = new Int32Array(2 * count);
  const { valuesPerMiniblock, miniblocks } = readHeader(cursor, count);
  let [low, high] = readZigzagWords(cursor);
  if (count === 0) return out;
  out[0] = low;
  out[1] = high;
  let done = 1;
  while (done < count) {
    const [minLow, minHigh] = readZigzagWords(cursor);
    const widthsAt = cursor.position;
    cursor.position += miniblocks;
    requireInside(cursor);
    for (let m = 0; m < miniblocks && done < count; m++) {
      const width = cursor.bytes[widthsAt + m] ?? 0;
      if (width > 64) throw new Error(`a delta of ${width} bits is impossible`);
      const take = Math.min(valuesPerMiniblock, count - done);
      let bit = cursor.position * 8;
      // The last miniblock's unused values may be cut off.
      requireInside(cursorOf(cursor.bytes, cursor.position + Math.ceil((take * width) / 8), cursor.end));
      for (let i = 0; i < take; i++, done++) {
        const residualLow = readBits(cursor.bytes, bit, Math.min(width, 32));
        const residualHigh = width > 32 ? readBits(cursor.bytes, bit + 32, width - 32) : 0;
        bit += width;
        const sum = (low >>> 0) + (minLow >>> 0) + residualLow;
        low = sum | 0;
        high = (high + minHigh + residualHigh + Math.floor(sum / 0x1_0000_0000)) | 0;
        out[2 * done] = low;
        out[2 * done + 1] = high;
      }
      cursor.position = Math.min(cursor.position + (valuesPerMiniblock * width) / 8, cursor.end);
    }
  }
  return out;
}

/** Up to 32 bits from bit position `bit`, least significant first, as an unsigned number. */
function readBits(bytes: Uint8Array, bit: number, width: number): number {
  if (width === 0) return 0;
  let position = Math.floor(bit / 8);
  const skip = bit & 7;
  let value = bytes[position++]! >>> skip;
  let have = 8 - skip;
  while (have < width) {
    value += (bytes[position++] ?? 0) * 2 ** have;
    have += 8;
  }
  return width === 32 ? value % 0x1_0000_0000 : value % 2 ** width;
}

interface ByteStrings {
  readonly offsets: Int32Array;
  readonly data: Uint8Array;
}

export function decodeDeltaLength(cursor: ByteCursor, count: number): ByteStrings {
  const lengths = decodeDelta32(cursor, count);
  const offsets = new Int32Array(count + 1);
  let total = 0;
  for (let i = 0; i < count; i++) {
    const length = lengths[i]!;
    if (length < 0) throw new Error(`value ${i} has the length ${length}`);
    total += length;
    if (total > cursor.end) throw new Error(`value ${i} runs past the end of the page`);
    offsets[i + 1] = total;
  }
  const start = cursor.position;
  cursor.position += total;
  requireInside(cursor);
  return { offsets, data: cursor.bytes.subarray(start, start + total) };
}

/**
 * Each value repeats a prefix of the one before.
 * @param hold called with the bytes that the values take together, before they are taken.
 */
export function decodeDeltaByteArray(
  cursor: ByteCursor,
  count: number,
  hold: (bytes: number) => void,
): ByteStrings {
  const prefixes = decodeDelta32(cursor, count);
  const suffixes = decodeDeltaLength(cursor, count);
  const offsets = new Int32Array(count + 1);
  let total = 0;
  for (let i = 0; i < count; i++) {
    const prefix = prefixes[i]!;
    const previousLength = i === 0 ? 0 : offsets[i]! - offsets[i - 1]!;
    if (prefix < 0 || prefix > previousLength) {
      throw new Error(`value ${i} repeats ${prefix} bytes of a value of ${previousLength}`);
    }
    total += prefix + suffixes.offsets[i + 1]! - suffixes.offsets[i]!;
    if (total > 0x7fff_ffff) throw new Error('the values of one page exceed 2 GiB');
    offsets[i + 1] = total;
  }
  hold(total);
  const data = new Uint8Array(total);
  for (let i = 0; i < count; i++) {
    const at = offsets[i]!;
    const prefix = prefixes[i]!;
    if (prefix > 0) data.copyWithin(at, offsets[i - 1]!, offsets[i - 1]! + prefix);
    data.set(suffixes.data.subarray(suffixes.offsets[i], suffixes.offsets[i + 1]), at + prefix);
  }
  return { offsets, data };
}
