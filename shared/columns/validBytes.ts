// Which rows of an Arrow column have a value.

import * as arrow from 'apache-arrow';
import { unpackBitmap } from './bitmap.ts';

/** One byte a row, 1 for a value. */
export function validBytes(data: arrow.Data): Uint8Array {
  if (arrow.DataType.isNull(data.type)) return new Uint8Array(data.length);
  if (data.nullCount === 0 || !data.nullBitmap || data.nullBitmap.length === 0) {
    return new Uint8Array(data.length).fill(1);
  }
  return unpackBitmap(data.nullBitmap, data.offset, data.length);
}

/** The same, undefined where all rows have a value. A code that stands for a missing entry of its dictionary is missing. */
export function validRows(data: arrow.Data): Uint8Array | undefined {
  const { dictionary } = data;
  if (dictionary === undefined || dictionary.nullCount === 0) {
    return data.nullCount > 0 ? validBytes(data) : undefined;
  }
  const valid = validBytes(data);
  const codes = data.values as Int32Array;
  for (let i = 0; i < valid.length; i++) if (valid[i] === 1 && !dictionary.isValid(codes[i]!)) valid[i] = 0;
  return valid;
}
