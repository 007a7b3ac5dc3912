// Reading fields of a model file that may be damaged: each reader names the field it failed at.

import { ModelFormatError } from '../errors/gbdtErrors.ts';
import { isRecord } from '../../memberOf.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function malformed(field: string, what: string): ModelFormatError {
  return new ModelFormatError(`model file, field ${field}: ${what}`, { field });
}

export function readObject(value: unknown, field: string): JsonObject {
  if (!isRecord(value)) {
    throw malformed(field, value === undefined ? 'missing' : 'expected an object');
  }
  return value;
}

export function readArray(value: unknown, field: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw malformed(field, value === undefined ? 'missing' : 'expected an array');
}

/** An array of numbers: in UBJSON they may be of one type. */
export function readList(value: unknown, field: string): ArrayLike<unknown> {
  return isNumberArray(value) ? value : readArray(value, field);
}

/** Arrays of one type in files of UBJSON. */
export type NumberArray = Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Int32Array;

function isNumberArray(value: unknown): value is NumberArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/** Numbers of any kind; null stands for NaN (see parseModelText). */
export function readFloats(value: unknown, field: string, length?: number): Float32Array {
  const array = readList(value, field);
  checkLength(array, field, length);
  if (array instanceof Float32Array) return array;
  return Float32Array.from(array, (item, i) => {
    if (item === null) return NaN;
    if (typeof item !== 'number') throw malformed(`${field}[${i}]`, 'expected a number');
    return item;
  });
}

/** Integers within [min, max]; booleans count as 0 and 1. */
export function readInts(
  value: unknown,
  field: string,
  { min, max, length }: { readonly min: number; readonly max: number; readonly length?: number },
): Int32Array {
  const array = readList(value, field);
  checkLength(array, field, length);
  return Int32Array.from(array, (item, i) => {
    const number = typeof item === 'boolean' ? Number(item) : item;
    if (typeof number !== 'number' || !Number.isInteger(number) || number < min || number > max) {
      throw malformed(`${field}[${i}]`, `expected an integer from ${min} to ${max}`);
    }
    return number;
  });
}

function checkLength(array: ArrayLike<unknown>, field: string, length: number | undefined): void {
  if (length !== undefined && array.length !== length) {
    throw malformed(field, `has ${array.length} entries, expected ${length}`);
  }
}

/** XGBoost keeps scalar parameters as text. */
export function readNumber(value: unknown, field: string): number {
  // From 3.1 on base_score is a list in text.
  const text = typeof value === 'string' ? value.replace(/^\[(.*)\]$/, '$1') : value;
  const number = typeof text === 'string' && text.trim() !== '' ? Number(text) : text;
  if (typeof number !== 'number' || !Number.isFinite(number)) {
    throw malformed(field, value === undefined ? 'missing' : 'expected a number');
  }
  return number;
}

export function readCount(value: unknown, field: string, max: number): number {
  const number = readNumber(value, field);
  if (!Number.isInteger(number) || number < 0 || number > max) {
    throw malformed(field, `is ${number}, expected an integer from 0 to ${max}`);
  }
  return number;
}

/** JSON with the NaN and Infinity that XGBoost writes: NaN becomes null, Infinity a number beyond all floats. */
export function parseModelText(text: string): unknown {
  if (text.charCodeAt(0) === 0x1f)
    throw new ModelFormatError(
      'model file: it is compressed with gzip, expected JSON or UBJSON; decompress it first',
    );
  if (/^\{[iUIlL#$]/.test(text))
    throw new ModelFormatError('model file: it is UBJSON, which is read as bytes, not as text');
  // A byte order mark is no part of JSON, but some editors put it there.
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text;
  try {
    return JSON.parse(json);
  } catch {
    try {
      return JSON.parse(replaceNonFinite(json));
    } catch (error) {
      throw new ModelFormatError(
        `model file: not JSON (${(error as Error).message.slice(0, 200)})`,
        {},
        { cause: error },
      );
    }
  }
}

/** In one pass, outside of strings: a regular expression that matches strings starts anew at each quote of an open one. */
function replaceNonFinite(text: string): string {
  const pieces: string[] = [];
  let from = 0;
  const token = /"|\bNaN\b|\bInfinity\b/g;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    if (match[0] === '"') {
      const end = endOfString(text, match.index + 1);
      if (end === -1) break;
      token.lastIndex = end + 1;
      continue;
    }
    pieces.push(text.slice(from, match.index), match[0] === 'NaN' ? 'null' : '1e999');
    from = token.lastIndex;
  }
  pieces.push(text.slice(from));
  return pieces.join('');
}

/** Place of the quote that ends a string; -1 when none does. */
function endOfString(text: string, start: number): number {
  for (let i = start; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 0x22) return i;
    if (code === 0x5c) i += 1;
  }
  return -1;
}
