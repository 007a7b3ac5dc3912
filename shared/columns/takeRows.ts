// Picks rows of a batch by index: what filters, shuffles, sorts and splits come down to.

import * as arrow from 'apache-arrow';
import { UnsupportedDataError } from './columnErrors.ts';
import { arrowData, recordBatch } from './arrowData.ts';
import { bitmapOf, packBits, unpackBitmap } from './bitmap.ts';
import { valuesFromWords, wordColumn } from './fixedWidth.ts';
import { typeName } from './typeName.ts';
import { validBytes } from './validBytes.ts';

/** Row i of the result is row indices[i] of the batch. */
export function takeRows(batch: arrow.RecordBatch, indices: Int32Array): arrow.RecordBatch {
  const columns = batch.data.children.map((data) => takeData(data, indices));
  return recordBatch(batch.schema, columns, indices.length);
}

export function takeData(data: arrow.Data, indices: Int32Array): arrow.Data {
  const { type } = data;
  const length = indices.length;
  if (arrow.DataType.isNull(type)) return arrowData({ type, length, nullCount: length });
  const rows = { type, length, ...takeValidity(data, indices) };
  if (arrow.DataType.isBool(type)) {
    const bits = unpackBitmap(data.values as Uint8Array, data.offset, data.length);
    return arrowData({ ...rows, data: packBits(Uint8Array.from(indices, (row) => bits[row]!)) });
  }
  if (arrow.DataType.isUtf8(type) || arrow.DataType.isBinary(type)) return takeBytes(data, indices, rows);
  if (arrow.DataType.isList(type) || arrow.DataType.isMap(type)) return takeLists(data, indices, rows);
  if (arrow.DataType.isFixedSizeList(type)) {
    return arrowData({ ...rows, child: takeData(data.children[0]!, spreadIndices(indices, type.listSize)) });
  }
  if (arrow.DataType.isStruct(type)) {
    return arrowData({ ...rows, children: data.children.map((child) => takeData(child, indices)) });
  }
  const column = wordColumn(data);
  if (column === undefined) throw new UnsupportedDataError(`Rows of type ${typeName(type)} can't be moved.`);
  const values = valuesFromWords(type, takeWords(column.words, column.stride, indices));
  if (arrow.DataType.isDictionary(type))
    return arrowData({ ...rows, data: values, dictionary: data.dictionary! });
  return arrowData({ ...rows, data: values });
}

interface Rows {
  readonly type: arrow.DataType;
  readonly length: number;
  readonly nullCount: number;
  readonly nullBitmap: Uint8Array | undefined;
}

function takeValidity(data: arrow.Data, indices: Int32Array): Pick<Rows, 'nullCount' | 'nullBitmap'> {
  if (data.nullCount === 0) return { nullCount: 0, nullBitmap: undefined };
  const valid = validBytes(data);
  const { bitmap, nullCount } = bitmapOf(Uint8Array.from(indices, (row) => valid[row]!));
  return { nullCount, nullBitmap: nullCount === 0 ? undefined : bitmap };
}

function takeWords<T extends Uint8Array | Uint16Array | Uint32Array>(
  words: T,
  stride: number,
  indices: Int32Array,
): T {
  const out = new (words.constructor as new (length: number) => T)(indices.length * stride);
  if (stride === 1) {
    for (let i = 0; i < indices.length; i++) out[i] = words[indices[i]!]!;
  } else if (stride === 2) {
    for (let i = 0; i < indices.length; i++) {
      const from = indices[i]! * 2;
      out[2 * i] = words[from]!;
      out[2 * i + 1] = words[from + 1]!;
    }
  } else {
    for (let i = 0; i < indices.length; i++) {
      for (let w = 0; w < stride; w++) out[i * stride + w] = words[indices[i]! * stride + w]!;
    }
  }
  return out;
}

function takeBytes(data: arrow.Data, indices: Int32Array, rows: Rows): arrow.Data {
  const offsets = data.valueOffsets as Int32Array;
  const source = data.values as Uint8Array;
  const valueOffsets = new Int32Array(indices.length + 1);
  let total = 0;
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i]!;
    total += offsets[row + 1]! - offsets[row]!;
    valueOffsets[i + 1] = total;
  }
  const bytes = new Uint8Array(total);
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i]!;
    bytes.set(source.subarray(offsets[row], offsets[row + 1]), valueOffsets[i]);
  }
  return arrowData({ ...rows, valueOffsets, data: bytes });
}

function takeLists(data: arrow.Data, indices: Int32Array, rows: Rows): arrow.Data {
  const offsets = data.valueOffsets as Int32Array;
  const valueOffsets = new Int32Array(indices.length + 1);
  const items: number[] = [];
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i]!;
    for (let item = offsets[row]!; item < offsets[row + 1]!; item++) items.push(item);
    valueOffsets[i + 1] = items.length;
  }
  return arrowData({ ...rows, valueOffsets, child: takeData(data.children[0]!, Int32Array.from(items)) });
}

function spreadIndices(indices: Int32Array, size: number): Int32Array {
  const out = new Int32Array(indices.length * size);
  for (let i = 0; i < out.length; i++) out[i] = indices[Math.floor(i / size)]! * size + (i % size);
  return out;
}
