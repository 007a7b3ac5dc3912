// Arrow columns as the plain arrays that trainers take.

import * as arrow from 'apache-arrow';
import { TypeMismatchError } from './columnErrors.ts';
import { unpackBitmap } from './bitmap.ts';
import type { BatchColumn, ColumnBatch } from './columnBatch.ts';
import { typeName } from './typeName.ts';
import { validRows } from './validBytes.ts';
import type { DictionaryStrings } from './dictionaryStrings.ts';

/** @throws TypeMismatchError for columns that are neither numbers nor strings. */
export function toColumnBatch(
  batch: arrow.RecordBatch,
  firstRow: number,
  strings: DictionaryStrings,
): ColumnBatch {
  const columns = batch.schema.fields.map((field, i) =>
    toBatchColumn(field.name, batch.data.children[i]!, strings),
  );
  return { rows: batch.numRows, firstRow, columns };
}

function toBatchColumn(name: string, data: arrow.Data, strings: DictionaryStrings): BatchColumn {
  const { type, length } = data;
  const valid = validRows(data);
  if (arrow.DataType.isDictionary(type) && arrow.DataType.isUtf8(type.dictionary)) {
    const codes = Int32Array.from(data.values as Int32Array).subarray(0, length);
    if (valid !== undefined) for (let i = 0; i < length; i++) if (valid[i] === 0) codes[i] = -1;
    return { kind: 'categorical', name, codes, dictionary: strings.of(data.dictionary!) };
  }
  if (arrow.DataType.isUtf8(type) || arrow.DataType.isLargeUtf8(type)) return encoded(name, data, valid);
  if (arrow.DataType.isNull(type)) {
    return {
      kind: 'numeric',
      name,
      meaning: 'number',
      values: new Float64Array(length),
      valid: new Uint8Array(length),
    };
  }
  const isTime =
    arrow.DataType.isTimestamp(type) || arrow.DataType.isDate(type) || arrow.DataType.isTime(type);
  const meaning = isTime ? 'time' : arrow.DataType.isBool(type) ? 'boolean' : 'number';
  return { kind: 'numeric', name, meaning, values: numbersOf(name, data), valid };
}

/** Plain strings get a dictionary of this batch's own. */
function encoded(name: string, data: arrow.Data, valid: Uint8Array | undefined): BatchColumn {
  const strings = new arrow.Vector([data]);
  const codes = new Int32Array(data.length);
  const seen = new Map<string, number>();
  for (let i = 0; i < data.length; i++) {
    if (valid !== undefined && valid[i] === 0) {
      codes[i] = -1;
      continue;
    }
    const text = strings.get(i) as string;
    let code = seen.get(text);
    if (code === undefined) {
      code = seen.size;
      seen.set(text, code);
    }
    codes[i] = code;
  }
  return { kind: 'categorical', name, codes, dictionary: [...seen.keys()] };
}

/** Times as epoch milliseconds (times of day: milliseconds since midnight). */
export function numbersOf(name: string, data: arrow.Data): Float64Array | Float32Array | Int32Array {
  const { type, length } = data;
  if (arrow.DataType.isBool(type))
    return Int32Array.from(unpackBitmap(data.values as Uint8Array, data.offset, length));
  if (arrow.DataType.isDate(type) || arrow.DataType.isTimestamp(type) || arrow.DataType.isTime(type)) {
    return milliseconds(data);
  }
  const values = data.values as ArrayLike<number> | BigInt64Array | BigUint64Array;
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    return wideNumbers(values, length, values instanceof BigInt64Array);
  }
  if (values instanceof Float64Array || values instanceof Float32Array || values instanceof Int32Array) {
    if (
      arrow.DataType.isInt(type) ||
      (arrow.DataType.isFloat(type) && type.precision !== arrow.Precision.HALF)
    ) {
      return values.subarray(0, length);
    }
  }
  if (values instanceof Uint32Array && arrow.DataType.isInt(type))
    return Float64Array.from(values.subarray(0, length));
  if (arrow.DataType.isInt(type)) return Int32Array.from(values as Int8Array).subarray(0, length);
  if (arrow.DataType.isFloat(type)) return Float64Array.from(new arrow.Vector([data]), Number);
  throw new TypeMismatchError(
    `Column "${name}" holds ${typeName(type)}; numbers, booleans, times or strings are expected.`,
    { column: name },
  );
}

/** Read as two halves: making a BigInt for each value costs several times more. */
export function wideNumbers(
  values: BigInt64Array | BigUint64Array,
  length: number,
  signed: boolean,
): Float64Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, length * 2);
  const out = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const high = words[2 * i + 1]!;
    out[i] = (signed ? high | 0 : high) * 0x1_0000_0000 + words[2 * i]!;
  }
  return out;
}

function milliseconds(data: arrow.Data): Float64Array {
  const { type, length } = data;
  const values = data.values as BigInt64Array | Int32Array;
  const out =
    values instanceof BigInt64Array
      ? wideNumbers(values, length, true)
      : Float64Array.from(values.subarray(0, length));
  let factor = 1;
  let divisor = 1;
  if (arrow.DataType.isDate(type)) factor = type.unit === arrow.DateUnit.DAY ? 86_400_000 : 1;
  else if (arrow.DataType.isTimestamp(type) || arrow.DataType.isTime(type)) {
    const exponent = (type.unit - arrow.TimeUnit.MILLISECOND) * 3;
    if (exponent < 0) factor = 1000;
    else divisor = 10 ** exponent;
  }
  // Dividing rounds once; multiplying by an inverse would round twice.
  if (factor !== 1 || divisor !== 1) for (let i = 0; i < length; i++) out[i] = (out[i]! * factor) / divisor;
  return out;
}
