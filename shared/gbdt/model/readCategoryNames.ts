// The names of categories as XGBoost 3.1 and later keep them (src/data/cat_container.cc): an encoding a feature, either
// numbers, or text as bytes with the offset of each name.

import type { CategoryName } from './model.ts';
import { malformed, readArray, readFloats, readInts, readList, readObject } from './modelFields.ts';

/**
 * @param value `cats` of the model; undefined in older files.
 * @returns for each feature its categories by code; undefined for numbers.
 */
export function readCategoryNames(
  value: unknown,
  field: string,
  numFeature: number,
): readonly (readonly CategoryName[] | undefined)[] {
  if (value === undefined) return [];
  const encodings = readArray(readObject(value, field)['enc'], `${field}.enc`);
  if (encodings.length === 0) return [];
  if (encodings.length !== numFeature) {
    throw malformed(`${field}.enc`, `has ${encodings.length} entries, expected ${numFeature}`);
  }
  return encodings.map((encoding, i) => readEncoding(encoding, `${field}.enc[${i}]`));
}

function readEncoding(value: unknown, field: string): readonly CategoryName[] | undefined {
  const { offsets, values } = readObject(value, field);
  if (offsets === undefined) {
    const numbers = readList(values, `${field}.values`);
    return numbers.length === 0 ? undefined : Array.from(readNumbers(numbers, `${field}.values`));
  }
  // Bytes may be written as signed ones.
  const bytes = Uint8Array.from(readInts(values, `${field}.values`, { min: -128, max: 255 }));
  const ends = readInts(offsets, `${field}.offsets`, { min: 0, max: bytes.length });
  if (ends.length === 0) return undefined;
  const text = new TextDecoder();
  return Array.from(ends.subarray(1), (end, i) => {
    if (end < ends[i]!) throw malformed(`${field}.offsets[${i + 1}]`, 'is below the one before');
    return text.decode(bytes.subarray(ends[i], end));
  });
}

/** Numbers are compared as the data has them, so those of a float32 file stay what they are. */
function readNumbers(numbers: ArrayLike<unknown>, field: string): Float64Array {
  readFloats(numbers, field);
  return Float64Array.from(numbers as ArrayLike<number>);
}
