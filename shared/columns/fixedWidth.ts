// Arrow's fixed-width columns as plain words, so that rows can be moved bit by bit without making values of them.

import type * as arrow from 'apache-arrow';

export interface WordColumn {
  readonly words: Uint8Array | Uint16Array | Uint32Array;
  /** Words a row. */
  readonly stride: number;
}

type Values = ArrayBufferView & { readonly BYTES_PER_ELEMENT: number };

/** Undefined when the column is not one run of equally wide values. */
export function wordColumn(data: arrow.Data): WordColumn | undefined {
  const values = data.values as Values | undefined;
  if (values === undefined || data.valueOffsets !== undefined) return undefined;
  const bytes = values.BYTES_PER_ELEMENT * data.stride;
  const total = bytes * data.length;
  if (values.byteLength < total) return undefined;
  if (bytes % 4 === 0 && values.byteOffset % 4 === 0) {
    return { words: new Uint32Array(values.buffer, values.byteOffset, total / 4), stride: bytes / 4 };
  }
  if (bytes === 2 && values.byteOffset % 2 === 0) {
    return { words: new Uint16Array(values.buffer, values.byteOffset, total / 2), stride: 1 };
  }
  return { words: new Uint8Array(values.buffer, values.byteOffset, total), stride: bytes };
}

/** The words again as the array that the type wants. */
export function valuesFromWords(type: arrow.DataType, words: WordColumn['words']): Float64Array {
  // Bytes are bytes: the type's own array class reads them.
  return new type.ArrayType(words.buffer, words.byteOffset) as Float64Array;
}
