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
