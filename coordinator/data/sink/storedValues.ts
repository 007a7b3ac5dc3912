// Arrow columns as the values that Parquet stores.

import * as arrow from 'apache-arrow';
import type { DictionaryStrings } from '../../../shared/columns/dictionaryStrings.ts';
import { validRows } from '../../../shared/columns/validBytes.ts';
import { entriesOf, valuesOf } from '../../../shared/columns/valuesOf.ts';

/**
 * One value a row, null for missing. 64-bit integers and instants are bigints in the units of their type, at any depth, so
 * that nothing is rounded on the way; days are whole numbers.
 */
export function storedValues(data: arrow.Data, strings: DictionaryStrings): unknown[] {
  const values = allValues(data, strings);
  const valid = validRows(data);
  if (valid !== undefined) for (let i = 0; i < values.length; i++) if (valid[i] === 0) values[i] = null;
  return values;
}

function allValues(data: arrow.Data, strings: DictionaryStrings): unknown[] {
  const { type, length } = data;
  if (arrow.DataType.isDictionary(type) && !arrow.DataType.isUtf8(type.dictionary)) {
    return entriesOf(data, (entries) => storedValues(entries, strings));
  }
  if (arrow.DataType.isStruct(type)) {
    const members = data.children.map((child) => storedValues(child, strings));
    const names = type.children.map(({ name }) => name);
    return Array.from({ length }, (_, i) =>
      Object.fromEntries(names.map((name, m) => [name, members[m]![i]])),
    );
  }
  if (arrow.DataType.isList(type)) {
    const items = storedValues(data.children[0]!, strings);
    const offsets = data.valueOffsets as Int32Array;
    return Array.from({ length }, (_, i) => items.slice(offsets[i], offsets[i + 1]));
  }
  if (arrow.DataType.isFixedSizeList(type)) {
    const items = storedValues(data.children[0]!, strings);
    return Array.from({ length }, (_, i) => items.slice(i * type.listSize, (i + 1) * type.listSize));
  }
  return isStoredAsIs(type)
    ? Array.from((data.values as BigInt64Array).subarray(0, length))
    : valuesOf(data, strings);
}

function isStoredAsIs(type: arrow.DataType): boolean {
  if (arrow.DataType.isInt(type)) return type.bitWidth === 64;
  if (arrow.DataType.isTimestamp(type)) return type.unit !== arrow.TimeUnit.SECOND;
  // Milliseconds of a date are written as an instant.
  return arrow.DataType.isDate(type);
}
