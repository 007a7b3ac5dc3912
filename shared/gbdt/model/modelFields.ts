// Reading fields of a model file that may be damaged: each reader names the field it failed at.

import { ModelFormatError } from '../errors.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function malformed(field: string, what: string): ModelFormatError {
  return new ModelFormatError(`model file, field ${field}: ${what}`, { field });
}

export function readObject(value: unknown, field: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed(field, value === undefined ? 'missing' : 'expected an object');
  }
  return value as JsonObject;
}

export function readArray(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(field, value === undefined ? 'missing' : 'expected an array');
  return value;
}

/** Numbers of any kind; null stands for NaN (see parseModelText). */
export function readFloats(value: unknown, field: string, length?: number): Float32Array {
  const array = readArray(value, field);
  checkLength(array, field, length);
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
  const array = readArray(value, field);
  checkLength(array, field, length);
  return Int32Array.from(array, (item, i) => {
    const number = typeof item === 'boolean' ? Number(item) : item;
    if (typeof number !== 'number' || !Number.isInteger(number) || number < min || number > max) {
      throw malformed(`${field}[${i}]`, `expected an integer from ${min} to ${max}`);
    }
    return number;
  });
}

function checkLength(array: readonly unknown[], field: string, length: number | undefined): void {
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
  try {
    return JSON.parse(text);
  } catch {
    const plain = text.replace(/"(?:[^"\\]|\\.)*"|\bNaN\b|\bInfinity\b/g, (token) =>
      token === 'NaN' ? 'null' : token === 'Infinity' ? '1e999' : token,
    );
    try {
      return JSON.parse(plain);
    } catch (error) {
      throw new ModelFormatError(
        `model file: not JSON (${(error as Error).message.slice(0, 200)})`,
        {},
        { cause: error },
      );
    }
  }
}
