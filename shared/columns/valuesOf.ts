// Arrow columns as the JavaScript values that user functions and text files see.

import * as arrow from 'apache-arrow';
import type { DictionaryStrings } from './dictionaryStrings.ts';
import type { ExactTimes } from './exactTimes.ts';
import { setMember } from '../memberOf.ts';
import { numbersOf, wideNumbers } from './toColumnBatch.ts';
import { takeData } from './takeRows.ts';
import { validRows } from './validBytes.ts';
import { columnNames } from './columnNames.ts';

/** A row as user functions see it. */
export type Row = Record<string, unknown>;

/**
 * One value a row, null for missing: numbers (64-bit integers beyond 2^53 as bigints), booleans, strings, Dates for
 * dates and timestamps, arrays for lists, objects for structs, Uint8Arrays for binary.
 */
export function valuesOf(data: arrow.Data, strings: DictionaryStrings): unknown[] {
  return valuesWith(data, strings, false);
}

/**
 * The same, but with dates and times as numbers of their unit (bigints beyond 2^53), so that they can be compared to the
 * last digit.
 */
export function exactValuesOf(data: arrow.Data, strings: DictionaryStrings): unknown[] {
  return valuesWith(data, strings, true);
}

function valuesWith(data: arrow.Data, strings: DictionaryStrings, exact: boolean): unknown[] {
  const values = allValues(data, strings, exact);
  const valid = validRows(data);
  if (valid !== undefined) for (let i = 0; i < values.length; i++) if (valid[i] === 0) values[i] = null;
  return values;
}

function allValues(data: arrow.Data, strings: DictionaryStrings, exact: boolean): unknown[] {
  const { type, length } = data;
  if (arrow.DataType.isNull(type)) return Array.from({ length }, () => null);
  if (arrow.DataType.isDictionary(type)) {
    if (!arrow.DataType.isUtf8(type.dictionary))
      return entriesOf(data, (entries) => valuesWith(entries, strings, exact));
    const codes = data.values as Int32Array;
    const entries = strings.of(data.dictionary!);
    return Array.from({ length }, (_, i) => entries[codes[i]!]);
  }
  if (arrow.DataType.isBool(type)) return Array.from(numbersOf('', data), (bit) => bit === 1);
  if (exact && isTemporal(type)) return unitsOf(data);
  if (arrow.DataType.isDate(type) || arrow.DataType.isTimestamp(type)) {
    // Rounded down: a Date of a fraction is rounded towards 1970.
    return Array.from(numbersOf('', data), (ms) => new Date(Math.floor(ms)));
  }
  if (data.values instanceof BigInt64Array || data.values instanceof BigUint64Array) return wideValues(data);
  if (arrow.DataType.isInt(type) || arrow.DataType.isFloat(type) || arrow.DataType.isTime(type)) {
    return Array.from(numbersOf('', data));
  }
  if (arrow.DataType.isStruct(type)) {
    const members = data.children.map((child) => valuesWith(child, strings, exact));
    return Array.from({ length }, (_, i) =>
      Object.fromEntries(type.children.map((field, m) => [field.name, members[m]![i]])),
    );
  }
  if (arrow.DataType.isList(type) || arrow.DataType.isMap(type)) {
    const items = valuesWith(data.children[0]!, strings, exact);
    const offsets = data.valueOffsets as Int32Array;
    return Array.from({ length }, (_, i) => items.slice(offsets[i], offsets[i + 1]));
  }
  if (arrow.DataType.isFixedSizeList(type)) {
    const items = valuesWith(data.children[0]!, strings, exact);
    return Array.from({ length }, (_, i) => items.slice(i * type.listSize, (i + 1) * type.listSize));
  }
  return Array.from(new arrow.Vector([data]) as Iterable<unknown>);
}

/** What the codes stand for, null where there is no entry. Only entries that rows refer to are looked at. */
export function entriesOf(
  { values, length, dictionary }: arrow.Data,
  valuesOfEntries: (entries: arrow.Data) => readonly unknown[],
): unknown[] {
  const codes = values as Int32Array;
  const out: unknown[] = Array.from({ length }, () => null);
  let first = 0;
  for (const part of dictionary!.data) {
    const rows: number[] = [];
    for (let row = 0; row < length; row++) {
      if (codes[row]! >= first && codes[row]! < first + part.length) rows.push(row);
    }
    const entries = valuesOfEntries(
      takeData(
        part,
        Int32Array.from(rows, (row) => codes[row]! - first),
      ),
    );
    for (const [i, row] of rows.entries()) out[row] = entries[i];
    first += part.length;
  }
  return out;
}

function wideValues(data: arrow.Data): unknown[] {
  if (arrow.DataType.isTime(data.type)) return Array.from(numbersOf('', data));
  const values = data.values as BigInt64Array;
  return Array.from(numbersOf('', data), (number, i) => (Number.isSafeInteger(number) ? number : values[i]));
}

function isTemporal(type: arrow.DataType): boolean {
  return arrow.DataType.isDate(type) || arrow.DataType.isTimestamp(type) || arrow.DataType.isTime(type);
}

function unitsOf(data: arrow.Data): unknown[] {
  const values = data.values as BigInt64Array | Int32Array;
  if (values instanceof Int32Array) return Array.from(values.subarray(0, data.length));
  const numbers = wideNumbers(values, data.length, true);
  return Array.from(numbers, (number, i) => (Number.isSafeInteger(number) ? number : values[i]));
}

/**
 * The rows of a batch as objects.
 * @param times told of the Dates that leave out a part of their time.
 */
export function rowsOf(batch: arrow.RecordBatch, strings: DictionaryStrings, times?: ExactTimes): Row[] {
  const names = columnNames(batch.schema);
  const columns = batch.data.children.map((data) => {
    const values = valuesOf(data, strings);
    times?.remember(data, values);
    return values;
  });
  const rows: Row[] = Array.from({ length: batch.numRows });
  for (let i = 0; i < rows.length; i++) {
    const row: Row = {};
    for (let c = 0; c < names.length; c++) setMember(row, names[c]!, columns[c]![i]);
    rows[i] = row;
  }
  return rows;
}
