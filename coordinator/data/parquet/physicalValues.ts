// Values of a page as Parquet stores them, before any meaning: words, single bits, byte strings or dictionary codes.
// Decoders write typed arrays only; nothing is boxed for each value.

import type { ParquetType } from 'hyparquet';
import { type ByteCursor, cursorOf, readHybrid, requireInside, unpackBits } from './rleHybrid.ts';
import { decodeDelta32, decodeDelta64, decodeDeltaByteArray, decodeDeltaLength } from './deltaValues.ts';

/** `width` little-endian 32-bit words a value: INT32 and FLOAT 1, INT64 and DOUBLE 2, INT96 3. */
export interface WordValues {
  readonly kind: 'words';
  readonly width: 1 | 2 | 3;
  readonly words: Int32Array;
}
/** One byte (0 or 1) a value. */
export interface BitValues {
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
export interface CodeValues {
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

/** @throws Error when the page is too short for `count` values. */
export function decodePlain(bytes: Uint8Array, count: number, layout: ValueLayout): PlainValues {
  const width = wordWidths[layout.type];
  if (width !== undefined) return { kind: 'words', width, words: wordsOf(bytes, count * width) };
  if (layout.type === 'BOOLEAN') {
    requireBytes(bytes, Math.ceil(count / 8));
    const bits = new Uint8Array(count);
    unpackBits(cursorOf(bytes), 1, count, bits, 0);
    return { kind: 'bits', bits };
  }
  if (layout.type === 'FIXED_LEN_BYTE_ARRAY') {
    requireBytes(bytes, count * layout.typeLength);
    return { kind: 'bytes', offsets: evenOffsets(count, layout.typeLength), data: bytes };
  }
  return decodePlainByteArray(bytes, count);
}

function wordsOf(bytes: Uint8Array, words: number): Int32Array {
  requireBytes(bytes, words * 4);
  if (bytes.byteOffset % 4 === 0) return new Int32Array(bytes.buffer, bytes.byteOffset, words);
  return new Int32Array(bytes.slice(0, words * 4).buffer);
}

function requireBytes(bytes: Uint8Array, needed: number): void {
  if (bytes.length < needed) {
    throw new Error(`the page holds ${bytes.length} bytes of values where ${needed} are needed`);
  }
}

function evenOffsets(count: number, size: number): Int32Array {
  const offsets = new Int32Array(count + 1);
  for (let i = 0; i <= count; i++) offsets[i] = i * size;
  return offsets;
}

function decodePlainByteArray(bytes: Uint8Array, count: number): ByteValues {
  const offsets = new Int32Array(count + 1);
  const data = new Uint8Array(Math.max(0, bytes.length - 4 * count));
  let from = 0;
  let to = 0;
  for (let i = 0; i < count; i++) {
    const length =
      (bytes[from] ?? 0) |
      ((bytes[from + 1] ?? 0) << 8) |
      ((bytes[from + 2] ?? 0) << 16) |
      ((bytes[from + 3] ?? 0) << 24);
    from += 4;
    if (length < 0 || from + length > bytes.length)
      throw new Error(`value ${i} runs past the end of the page`);
    // Short strings: a loop beats making a view for each.
    if (length < 32) for (let j = 0; j < length; j++) data[to + j] = bytes[from + j]!;
    else data.set(bytes.subarray(from, from + length), to);
    from += length;
    to += length;
    offsets[i + 1] = to;
  }
  return { kind: 'bytes', offsets, data: data.subarray(0, to) };
}

/** @param bytes from the bit width byte on. */
export function decodeCodes(bytes: Uint8Array, count: number, dictionarySize: number): CodeValues {
  const codes = new Int32Array(count);
  if (count === 0) return { kind: 'codes', codes };
  const width = bytes[0];
  if (width === undefined) throw new Error('the dictionary codes are missing');
  const max = readHybrid(cursorOf(bytes, 1), width, count, codes);
  if (max >= dictionarySize) {
    throw new Error(`dictionary code ${max} where the dictionary has ${dictionarySize} entries`);
  }
  return { kind: 'codes', codes };
}

/** Booleans of DATA_PAGE_V2 and RLE pages: a length, then the hybrid of width 1. */
export function decodeRleBooleans(bytes: Uint8Array, count: number): BitValues {
  const bits = new Uint8Array(count);
  if (count > 0) readHybrid(cursorOf(bytes, 4), 1, count, bits);
  return { kind: 'bits', bits };
}

/** The encodings beyond PLAIN and dictionary; undefined for one that doesn't exist for the type. */
export function decodeEncoded(
  encoding: string,
  bytes: Uint8Array,
  count: number,
  layout: ValueLayout,
): PlainValues | undefined {
  const cursor: ByteCursor = cursorOf(bytes);
  if (encoding === 'DELTA_BINARY_PACKED' && layout.type === 'INT32') {
    return { kind: 'words', width: 1, words: decodeDelta32(cursor, count) };
  }
  if (encoding === 'DELTA_BINARY_PACKED' && layout.type === 'INT64') {
    return { kind: 'words', width: 2, words: decodeDelta64(cursor, count) };
  }
  const isBytes = layout.type === 'BYTE_ARRAY' || layout.type === 'FIXED_LEN_BYTE_ARRAY';
  if (encoding === 'DELTA_LENGTH_BYTE_ARRAY' && isBytes)
    return { kind: 'bytes', ...decodeDeltaLength(cursor, count) };
  if (encoding === 'DELTA_BYTE_ARRAY' && isBytes)
    return { kind: 'bytes', ...decodeDeltaByteArray(cursor, count) };
  if (encoding === 'BYTE_STREAM_SPLIT') return decodeStreamSplit(bytes, count, layout);
  return undefined;
}

/** Byte b of every value lies together: stream b holds count bytes. */
function decodeStreamSplit(bytes: Uint8Array, count: number, layout: ValueLayout): PlainValues | undefined {
  const wordWidth = wordWidths[layout.type];
  const size = wordWidth === undefined ? layout.typeLength : wordWidth * 4;
  if (size === 0) return undefined;
  requireInside(cursorOf(bytes, count * size));
  const joined = new Uint8Array(count * size);
  for (let b = 0; b < size; b++) {
    const stream = b * count;
    for (let i = 0; i < count; i++) joined[i * size + b] = bytes[stream + i]!;
  }
  return decodePlain(joined, count, layout);
}
