// Gives the values of one data page in pieces: what a page stands for may be many times what it is.

import {
  decodeDelta32,
  decodeDelta64,
  decodeDeltaByteArray,
  decodeDeltaLength,
  deltaCount,
} from './deltaValues.ts';
import {
  type ByteValues,
  decodePlain,
  decodeStreamSplit,
  type PageValues,
  plainByteArray,
  type PlainValues,
  requireBytes,
  valueBytes,
  type ValueLayout,
} from './physicalValues.ts';
import { cursorOf, HybridReader, unpackBits } from './rleHybrid.ts';

export interface ValueReader {
  /** The next `count` values. @throws Error when there are fewer. */
  take(count: number): PageValues;
}

export interface ValuePage {
  readonly encoding: string | undefined;
  readonly bytes: Uint8Array;
  readonly layout: ValueLayout;
  /** Values that the page has at most: its rows, with those that have none. */
  readonly entries: number;
  /** Entries of the chunk's dictionary; undefined without one. */
  readonly dictionarySize: number | undefined;
  /** Called with the bytes that are about to be taken until the page is done. @throws BudgetExceeded */
  hold(bytes: number, what: string): void;
}

/** @throws Error for an encoding that does not exist for the type. */
export function openValues(page: ValuePage): ValueReader {
  const { encoding, bytes, layout, dictionarySize } = page;
  switch (encoding) {
    case 'PLAIN':
      return plainReader(bytes, layout);
    case 'RLE_DICTIONARY':
    case 'PLAIN_DICTIONARY':
      if (dictionarySize === undefined) throw new Error('dictionary codes without a dictionary');
      return new CodeReader(bytes, dictionarySize);
    case 'RLE':
      if (layout.type === 'BOOLEAN') return new BooleanRunReader(bytes);
      break;
    case undefined:
    default: {
      const values = decodeWhole(page);
      if (values !== undefined) return new SliceReader(values);
    }
  }
  throw new Error(`the encoding ${encoding ?? '(unknown)'} does not exist for ${layout.type}`);
}

function plainReader(bytes: Uint8Array, layout: ValueLayout): ValueReader {
  const width = valueBytes(layout);
  if (layout.type === 'BOOLEAN') return new BitReader(bytes);
  return width === undefined ? new ByteArrayReader(bytes) : new FixedReader(bytes, width, layout);
}

class FixedReader implements ValueReader {
  readonly #bytes: Uint8Array;
  readonly #width: number;
  readonly #layout: ValueLayout;
  #at = 0;

  constructor(bytes: Uint8Array, width: number, layout: ValueLayout) {
    this.#bytes = bytes;
    this.#width = width;
    this.#layout = layout;
  }

  take(count: number): PageValues {
    const values = decodePlain(this.#bytes.subarray(this.#at), count, this.#layout);
    this.#at += count * this.#width;
    return values;
  }
}

class BitReader implements ValueReader {
  readonly #bytes: Uint8Array;
  #bit = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(count: number): PageValues {
    requireBytes(this.#bytes, Math.ceil((this.#bit + count) / 8));
    const bits = new Uint8Array(count);
    unpackBits(this.#bytes, this.#bit, 1, count, bits, 0);
    this.#bit += count;
    return { kind: 'bits', bits };
  }
}

class ByteArrayReader implements ValueReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(count: number): PageValues {
    const { values, end } = plainByteArray(this.#bytes, this.#at, count);
    this.#at = end;
    return values;
  }
}

class CodeReader implements ValueReader {
  readonly #codes: HybridReader;
  readonly #dictionarySize: number;

  /** @param bytes from the bit width byte on. */
  constructor(bytes: Uint8Array, dictionarySize: number) {
    const width = bytes[0];
    if (width === undefined) throw new Error('the dictionary codes are missing');
    this.#codes = new HybridReader(cursorOf(bytes, 1), width);
    this.#dictionarySize = dictionarySize;
  }

  take(count: number): PageValues {
    const codes = new Int32Array(count);
    const max = this.#codes.read(count, codes);
    if (count > 0 && max >= this.#dictionarySize) {
      throw new Error(`dictionary code ${max} where the dictionary has ${this.#dictionarySize} entries`);
    }
    return { kind: 'codes', codes };
  }
}

/** A length, which is not used, then the hybrid of width 1. */
class BooleanRunReader implements ValueReader {
  readonly #bits: HybridReader;

  constructor(bytes: Uint8Array) {
    this.#bits = new HybridReader(cursorOf(bytes, 4), 1);
  }

  take(count: number): PageValues {
    const bits = new Uint8Array(count);
    this.#bits.read(count, bits);
    return { kind: 'bits', bits };
  }
}

class SliceReader implements ValueReader {
  readonly #values: PlainValues;
  readonly #length: number;
  #at = 0;

  constructor(values: PlainValues) {
    this.#values = values;
    if (values.kind === 'words') this.#length = values.words.length / values.width;
    else this.#length = values.kind === 'bytes' ? values.offsets.length - 1 : values.bits.length;
  }

  take(count: number): PageValues {
    const start = this.#at;
    const end = start + count;
    if (end > this.#length) throw new Error(`the page holds ${this.#length} values where ${end} are needed`);
    this.#at = end;
    const values = this.#values;
    if (values.kind === 'words') {
      return { ...values, words: values.words.subarray(start * values.width, end * values.width) };
    }
    if (values.kind === 'bits') return { kind: 'bits', bits: values.bits.subarray(start, end) };
    return { ...values, offsets: values.offsets.subarray(start, end + 1) };
  }
}

/** The encodings that can not be begun in the middle; undefined for one that doesn't exist for the type. */
function decodeWhole(page: ValuePage): PlainValues | undefined {
  const { encoding, bytes, layout } = page;
  const isBytes = layout.type === 'BYTE_ARRAY' || layout.type === 'FIXED_LEN_BYTE_ARRAY';
  if (encoding === 'BYTE_STREAM_SPLIT') {
    page.hold(bytes.length, 'its values');
    return decodeStreamSplit(bytes, layout);
  }
  if (encoding === 'DELTA_BINARY_PACKED' && (layout.type === 'INT32' || layout.type === 'INT64')) {
    const count = heldDeltas(page);
    const decode = layout.type === 'INT32' ? decodeDelta32 : decodeDelta64;
    return { kind: 'words', width: layout.type === 'INT32' ? 1 : 2, words: decode(cursorOf(bytes), count) };
  }
  if (encoding === 'DELTA_LENGTH_BYTE_ARRAY' && isBytes) {
    const count = heldDeltas(page);
    return ofLength(layout, { kind: 'bytes', ...decodeDeltaLength(cursorOf(bytes), count) });
  }
  if (encoding === 'DELTA_BYTE_ARRAY' && isBytes) {
    const count = heldDeltas(page);
    const hold = (size: number): void => page.hold(size, 'its strings');
    return ofLength(layout, { kind: 'bytes', ...decodeDeltaByteArray(cursorOf(bytes), count, hold) });
  }
  return undefined;
}

/** Deltas of no bits take no bytes: their number is only claimed. */
function heldDeltas(page: ValuePage): number {
  const { bytes, entries } = page;
  const count = deltaCount(bytes);
  if (count > entries) throw new Error(`${count} delta values in a page of ${entries} rows`);
  // Words of each, and offsets for what are lengths.
  page.hold(count * 24, `${count} delta values`);
  return count;
}

function ofLength({ type, typeLength }: ValueLayout, values: ByteValues): ByteValues {
  if (type !== 'FIXED_LEN_BYTE_ARRAY') return values;
  const { offsets } = values;
  for (let i = 1; i < offsets.length; i++) {
    const length = offsets[i]! - offsets[i - 1]!;
    if (length !== typeLength) throw new Error(`a value of ${length} bytes where all have ${typeLength}`);
  }
  return values;
}
