// Arrow data from JavaScript values, when there is no faster way: user functions, JSON, nested columns.

import * as arrow from 'apache-arrow';
import { arrowData } from './arrowData.ts';
import { bitmapOf, packBits } from './bitmap.ts';
import { memberOf } from '../memberOf.ts';
import { typeName } from './typeName.ts';
import { TypeMismatchError } from './columnErrors.ts';

/**
 * One value a row; null and undefined are missing.
 * Maps and objects are accepted for a list of {key, value}; Dates, milliseconds and bigints (raw units) for times.
 * @throws TypeMismatchError for a value that the type can't hold (`place.row` is its index in `values`).
 */
export function columnFromValues(values: readonly unknown[], type: arrow.DataType): arrow.Data {
  const length = values.length;
  const valid = new Uint8Array(length);
  for (let i = 0; i < length; i++) valid[i] = values[i] === null || values[i] === undefined ? 0 : 1;
  const { bitmap, nullCount } = bitmapOf(valid);
  const rows = { type, length, nullCount, nullBitmap: nullCount === 0 ? undefined : bitmap };
  if (arrow.DataType.isNull(type)) return arrowData({ type, length, nullCount: length });
  if (arrow.DataType.isBool(type)) {
    const bits = Uint8Array.from(values, (value, i) => (valid[i] === 0 ? 0 : booleanOf(value, i)));
    return arrowData({ ...rows, data: packBits(bits) });
  }
  if (arrow.DataType.isUtf8(type) || arrow.DataType.isBinary(type)) return bytesColumn(values, rows);
  if (arrow.DataType.isDictionary(type)) return dictionaryColumn(values, rows, type);
  if (arrow.DataType.isList(type)) return listColumn(values, rows, type);
  if (arrow.DataType.isStruct(type)) {
    const children = type.children.map((field) =>
      columnFromValues(
        values.map((value) => memberOf(value, field.name)),
        field.type,
      ),
    );
    return arrowData({ ...rows, children });
  }
  return numericColumn(values, rows, type);
}

interface Rows {
  readonly type: arrow.DataType;
  readonly length: number;
  readonly nullCount: number;
  readonly nullBitmap: Uint8Array | undefined;
}

function mismatch(value: unknown, row: number, type: arrow.DataType): TypeMismatchError {
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value).slice(0, 40);
  return new TypeMismatchError(`Row ${row} holds ${shown} where ${typeName(type)} is expected.`, { row });
}

function booleanOf(value: unknown, row: number): number {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value === 0 || value === 1) return value;
  throw mismatch(value, row, new arrow.Bool());
}

function bytesColumn(values: readonly unknown[], rows: Rows): arrow.Data {
  const encoder = new TextEncoder();
  const isText = arrow.DataType.isUtf8(rows.type);
  const parts: Uint8Array[] = [];
  const offsets = new Int32Array(rows.length + 1);
  let total = 0;
  for (const [row, value] of values.entries()) {
    if (value !== null && value !== undefined) {
      if (typeof value !== 'string' && !(value instanceof Uint8Array)) throw mismatch(value, row, rows.type);
      const bytes = typeof value === 'string' ? encoder.encode(value) : value;
      if (isText && typeof value !== 'string') new TextDecoder('utf-8', { fatal: true }).decode(value);
      parts.push(bytes);
      total += bytes.length;
    }
    offsets[row + 1] = total;
  }
  const data = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return arrowData({ ...rows, valueOffsets: offsets, data });
}

function dictionaryColumn(values: readonly unknown[], rows: Rows, type: arrow.Dictionary): arrow.Data {
  const codes = new Map<unknown, number>();
  const data = new type.indices.ArrayType(rows.length);
  for (const [row, value] of values.entries()) {
    if (value === null || value === undefined) continue;
    let code = codes.get(value);
    if (code === undefined) {
      code = codes.size;
      codes.set(value, code);
    }
    data[row] = code;
  }
  const dictionary = new arrow.Vector([columnFromValues([...codes.keys()], type.dictionary)]);
  return arrowData({ ...rows, data, dictionary });
}

function listColumn(values: readonly unknown[], rows: Rows, type: arrow.List): arrow.Data {
  const items: unknown[] = [];
  const offsets = new Int32Array(rows.length + 1);
  for (const [row, value] of values.entries()) {
    if (value !== null && value !== undefined) {
      if (typeof value !== 'object') throw mismatch(value, row, type);
      for (const item of itemsOf(value)) items.push(item);
    }
    offsets[row + 1] = items.length;
  }
  return arrowData({ ...rows, valueOffsets: offsets, child: columnFromValues(items, type.valueType) });
}

function itemsOf(value: object): Iterable<unknown> {
  if (value instanceof Map) return Array.from(value, ([key, item]) => ({ key, value: item as unknown }));
  if (Symbol.iterator in value) return value as Iterable<unknown>;
  return Object.entries(value).map(([key, item]) => ({ key, value: item as unknown }));
}

/** Units of the type in a millisecond; undefined for types that don't hold instants. */
function unitsPerMs(type: arrow.DataType): number | undefined {
  if (!arrow.DataType.isTimestamp(type)) return arrow.DataType.isDate(type) ? 1 : undefined;
  return 10 ** ((type.unit - arrow.TimeUnit.MILLISECOND) * 3);
}

function numericColumn(values: readonly unknown[], rows: Rows, type: arrow.DataType): arrow.Data {
  const perMs = unitsPerMs(type);
  const array = new type.ArrayType(rows.length);
  const isWide = array instanceof BigInt64Array || array instanceof BigUint64Array;
  const isDay = arrow.DataType.isDate(type) && type.unit === arrow.DateUnit.DAY;
  const isInt = arrow.DataType.isInt(type);
  const isUnsigned = array instanceof BigUint64Array;
  for (const [row, value] of values.entries()) {
    if (value === null || value === undefined) continue;
    const number = value instanceof Date ? value.getTime() : value;
    if (typeof number !== 'number' && typeof number !== 'bigint' && typeof number !== 'boolean') {
      throw mismatch(value, row, type);
    }
    if (isWide) {
      const units = wideUnits(number, perMs ?? 1);
      // Typed arrays keep the low 64 bits of what does not fit.
      if (
        units === undefined ||
        units !== (isUnsigned ? BigInt.asUintN(64, units) : BigInt.asIntN(64, units))
      )
        throw mismatch(value, row, type);
      array[row] = units;
    } else {
      array[row] = isDay ? Math.floor(Number(number) / 86_400_000) : Number(number);
      // A whole number that is another one as a double.
      if (typeof number === 'bigint' && !isDay && BigInt(Number(number)) !== number)
        throw mismatch(value, row, type);
    }
    if (isInt && Number(array[row]) !== Number(number)) throw mismatch(value, row, type);
  }
  return arrowData({ ...rows, data: array as Float64Array });
}

/** Undefined for NaN, infinities and invalid Dates. */
function wideUnits(value: number | bigint | boolean, perMs: number): bigint | undefined {
  if (typeof value === 'bigint') return value;
  const units = Math.round(Number(value) * perMs);
  return Number.isFinite(units) ? BigInt(units) : undefined;
}
