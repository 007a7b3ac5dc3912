// Gives physical values their meaning: Arrow data of the column's type.

import * as arrow from 'apache-arrow';
import { arrowData, type ArrowBuffers } from '../../../shared/columns/arrowData.ts';
import { packBits } from '../../../shared/columns/bitmap.ts';
import type { ByteValues, PlainValues, WordValues } from './physicalValues.ts';

/** What the bytes mean beyond their Arrow type. Decimals become doubles: unscaled / 10^scale, about 15 digits. */
export type ValueForm =
  | { readonly kind: 'plain' }
  | { readonly kind: 'decimal'; readonly scale: number }
  | { readonly kind: 'uuid' }
  | { readonly kind: 'half' };

interface RowProps {
  readonly length: number;
  readonly nullCount: number;
  readonly nullBitmap: Uint8Array | undefined;
}

/** @param values one a row; those of null rows are ignored. */
export function arrowFromPlain(
  type: arrow.DataType,
  values: PlainValues,
  rows: number,
  props: RowProps,
  form: ValueForm,
): arrow.Data {
  if (form.kind === 'decimal') return arrowData({ type, ...props, data: decimals(values, rows, form.scale) });
  switch (values.kind) {
    case 'bits':
      return arrowData({ type, ...props, data: packBits(values.bits) });
    case 'words':
      return arrowData({ type, ...props, data: wordData(type, values) });
    case 'bytes': {
      if (form.kind === 'half') return arrowData({ type, ...props, data: halfFloats(values, rows) });
      const { offsets, data } = form.kind === 'uuid' ? uuidText(values, rows) : values;
      return arrowData({ type, ...props, valueOffsets: offsets, data });
    }
    default:
      return values satisfies never;
  }
}

function wordData(type: arrow.DataType, { words, width }: WordValues): ArrowBuffers['data'] {
  if (width === 3) return microsecondsOfInt96(words);
  if (arrow.DataType.isInt(type) && type.bitWidth < 32) {
    // The value is in the low bits of the word; typed arrays keep exactly these.
    const array = new type.ArrayType(words.length);
    for (let i = 0; i < words.length; i++) array[i] = words[i]!;
    return array;
  }
  return new type.ArrayType(words.buffer, words.byteOffset, words.length / width);
}

/** INT96: nanoseconds of the day, then the Julian day. Rounded down to microseconds, as Spark and DuckDB read it. */
function microsecondsOfInt96(words: Int32Array): BigInt64Array {
  const out = new BigInt64Array(words.length / 3);
  for (let i = 0; i < out.length; i++) {
    const low = BigInt(words[3 * i]! >>> 0);
    const high = BigInt(words[3 * i + 1]! >>> 0);
    const days = BigInt(words[3 * i + 2]! - 2_440_588);
    const micros = days * 86_400_000_000n + ((high << 32n) + low) / 1000n;
    if (BigInt.asIntN(64, micros) !== micros)
      throw new Error(`an instant of the Julian day ${words[3 * i + 2]}`);
    out[i] = micros;
  }
  return out;
}

function uuidText(values: ByteValues, rows: number): ByteValues {
  const offsets = new Int32Array(rows + 1);
  const data = new Uint8Array((values.data.length / 16) * 36);
  const hex = new TextEncoder().encode('0123456789abcdef');
  let at = 0;
  for (let row = 0; row < rows; row++) {
    const from = values.offsets[row]!;
    for (let i = 0; i < values.offsets[row + 1]! - from; i++) {
      if (i === 4 || i === 6 || i === 8 || i === 10) data[at++] = 45;
      const byte = values.data[from + i]!;
      data[at++] = hex[byte >> 4]!;
      data[at++] = hex[byte & 15]!;
    }
    offsets[row + 1] = at;
  }
  return { kind: 'bytes', offsets, data };
}

function halfFloats(values: ByteValues, rows: number): Float32Array {
  const out = new Float32Array(rows);
  for (let i = 0; i < rows; i++) {
    const from = values.offsets[i]!;
    if (values.offsets[i + 1]! - from !== 2) continue;
    const bits = values.data[from]! | (values.data[from + 1]! << 8);
    const exponent = (bits >> 10) & 31;
    const fraction = (bits & 1023) / 1024;
    const sign = bits >> 15 === 1 ? -1 : 1;
    if (exponent === 31) out[i] = fraction === 0 ? sign * Infinity : Number.NaN;
    else out[i] = sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
  }
  return out;
}

function decimals(values: PlainValues, rows: number, scale: number): Float64Array {
  const out = new Float64Array(rows);
  // Dividing by an exact power of ten rounds once; multiplying by its inverse would round twice.
  const divisor = 10 ** scale;
  if (values.kind === 'words') {
    const { words, width } = values;
    if (width === 1) for (let i = 0; i < rows; i++) out[i] = words[i]! / divisor;
    else
      for (let i = 0; i < rows; i++) out[i] = (words[2 * i + 1]! * 2 ** 32 + (words[2 * i]! >>> 0)) / divisor;
  } else if (values.kind === 'bytes') {
    for (let i = 0; i < rows; i++) {
      out[i] = bigEndian(values.data.subarray(values.offsets[i], values.offsets[i + 1])) / divisor;
    }
  }
  return out;
}

/** No decimal of any writer is longer; the sum below takes time that grows with the square of the length. */
const MAX_DECIMAL_BYTES = 128;

/** Big-endian two's complement, rounded once to a double. */
function bigEndian(bytes: Uint8Array): number {
  if (bytes.length === 0) return 0;
  if (bytes.length > MAX_DECIMAL_BYTES) throw new Error(`a decimal of ${bytes.length} bytes`);
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return Number(BigInt.asIntN(bytes.length * 8, value));
}
