// Values of a page as Parquet stores them, before any meaning: words, single bits, byte strings or dictionary codes.
// Decoders write typed arrays only; nothing is boxed for each value.

import type { ParquetType } from 'hyparquet';
import { unpackBits } from './rleHybrid.ts';

/** `width` little-endian 32-bit words a value: INT32 and FLOAT 1, INT64 and DOUBLE 2, INT96 3. */
export interface WordValues {
  readonly kind: 'words';
  readonly width: 1 | 2 | 3;
  readonly words: Int32Array;
}
/** One byte (0 or 1) a value. */
interface BitValues {
  readonly kind: 'bits';
  readonly bits: Uint8Array;
}
/** Value i is data[offsets[i], offsets[i+1]). */
export interface ByteValues {
  readonly kind: 'bytes';
  readonly offsets: Int32Array;
  readonly data: Uint8Array;
}
export type PlainValues = WordValues | BitValues | ByteValues;
/** Indexes into the chunk's dictionary, all of them inside it. */
interface CodeValues {
  readonly kind: 'codes';
  readonly codes: Int32Array;
}
export type PageValues = PlainValues | CodeValues;

export interface ValueLayout {
  readonly type: ParquetType;
  /** Bytes of a FIXED_LEN_BYTE_ARRAY value. */
  readonly typeLength: number;
}

const wordWidths: Partial<Record<ParquetType, 1 | 2 | 3>> = {
  INT32: 1,
  FLOAT: 1,
  INT64: 2,
  DOUBLE: 2,
  INT96: 3,
};

/** Whether all encodings of the type give words. */
export function isOfWords({ type }: ValueLayout): boolean {
  return wordWidths[type] !== undefined;
}

/** Bytes of one value as PLAIN stores it; undefined where that varies or is no whole number. */
export function valueBytes({ type, typeLength }: ValueLayout): number | undefined {
  const words = wordWidths[type];
  if (words !== undefined) return words * 4;
  return type === 'FIXED_LEN_BYTE_ARRAY' ? typeLength : undefined;
}

/** @throws Error when the page is too short for `count` values. */
export function decodePlain(bytes: Uint8Array, count: number, layout: ValueLayout): PlainValues {
  const width = wordWidths[layout.type];
  if (width !== undefined) return { kind: 'words', width, words: wordsOf(bytes, count * width) };
  if (layout.type === 'BOOLEAN') {
    requireBytes(bytes, Math.ceil(count / 8));
    const bits = new Uint8Array(count);
    unpackBits(bytes, 0, 1, count, bits, 0);
    return { kind: 'bits', bits };
  }
  if (layout.type === 'FIXED_LEN_BYTE_ARRAY') {
    requireBytes(bytes, count * layout.typeLength);
    return { kind: 'bytes', offsets: evenOffsets(count, layout.typeLength), data: bytes };
  }
  return plainByteArray(bytes, 0, count).values;
}

function wordsOf(bytes: Uint8Array, words: number): Int32Array {
  requireBytes(bytes, words * 4);
  if (bytes.byteOffset % 4 === 0) return new Int32Array(bytes.buffer, bytes.byteOffset, words);
  return new Int32Array(bytes.slice(0, words * 4).buffer);
}

export function requireBytes(bytes: Uint8Array, needed: number): void {
  if (bytes.length < needed) {
    throw new Error(`the page holds ${bytes.length} bytes of values where ${needed} are needed`);
  }
}

function evenOffsets(count: number, size: number): Int32Array {
  const offsets = new Int32Array(count + 1);
  for (let i = 0; i <= count; i++) offsets[i] = i * size;
  return offsets;
}

/** `count` values, each behind its length, from byte `start` on. @returns them and where they end. */
export function plainByteArray(
  bytes: Uint8Array,
  start: number,
  count: number,
): { values: ByteValues; end: number } {
  requireBytes(bytes, start + 4 * count);
  const offsets = new Int32Array(count + 1);
  let from = start;
  let total = 0;
  for (let i = 0; i < count; i++) {
    const length =
      (bytes[from] ?? 0) |
      ((bytes[from + 1] ?? 0) << 8) |
      ((bytes[from + 2] ?? 0) << 16) |
      ((bytes[from + 3] ?? 0) << 24);
    from += 4 + length;
    if (length < 0 || from > bytes.length) throw new Error(`value ${i} runs past the end of the page`);
    total += length;
    offsets[i + 1] = total;
  }
  const data = new Uint8Array(total);
  let at = start;
  for (let i = 0; i < count; i++) {
    at += 4;
    const to = offsets[i]!;
    const length = offsets[i + 1]! - to;
    // Short strings: a loop beats making a view for each.
    if (length < 32) for (let j = 0; j < length; j++) data[to + j] = bytes[at + j]!;
    else data.set(bytes.subarray(at, at + length), to);
    at += length;
  }
  return { values: { kind: 'bytes', offsets, data }, end: from };
}

/** Byte b of every value lies together: stream b holds as many bytes as there are values. */
export function decodeStreamSplit(bytes: Uint8Array, layout: ValueLayout): PlainValues | undefined {
  const size = valueBytes(layout);
  if (size === undefined) return undefined;
  const count = Math.floor(bytes.length / size);
  const joined = new Uint8Array(count * size);
  for (let b = 0; b < size; b++) {
    const stream = b * count;
    for (let i = 0; i < count; i++) joined[i * size + b] = bytes[stream + i]!;
  }
  return decodePlain(joined, count, layout);
}
