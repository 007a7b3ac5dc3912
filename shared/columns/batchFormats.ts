// The forms in which functions of a batch take and give rows, and the way back to Arrow.

import * as arrow from 'apache-arrow';
import { UserFunctionError } from './columnErrors.ts';
import { arrowData, recordBatch } from './arrowData.ts';
import { columnFromValues } from './columnFromValues.ts';
import { DictionaryStrings } from './dictionaryStrings.ts';
import type { ExactTimes } from './exactTimes.ts';
import { inferType } from './inferType.ts';
import type { RowOrigin } from './rowOrigin.ts';
import { numbersOf } from './toColumnBatch.ts';
import { validBytes } from './validBytes.ts';
import { type Row, valuesOf } from './valuesOf.ts';

/** A batch as an object of arrays: typed arrays for numbers and times, plain arrays for everything else. */
export type Columns = Record<string, ArrayLike<unknown>>;
export type BatchFormat = 'columns' | 'arrow' | 'rows';

/** Remembers which array came from which Arrow column, so that what a function hands through stays as it was. */
export type Origins = Map<ArrayLike<unknown>, arrow.Data>;

/**
 * Numbers (64-bit integers, too, while all are below 2^53) and times (epoch milliseconds) as typed arrays, with NaN
 * for missing values; booleans, strings and nested values as arrays with null for missing ones.
 */
export function columnsOf(
  batch: arrow.RecordBatch,
  strings: DictionaryStrings,
): { columns: Columns; origins: Origins } {
  const columns: Columns = {};
  const origins: Origins = new Map();
  for (const [i, { name }] of batch.schema.fields.entries()) {
    const data = batch.data.children[i]!;
    lazily(columns, name, () => {
      const array = arrayOf(name, data, strings);
      origins.set(array, data);
      return array;
    });
  }
  return { columns, origins };
}

/** Arrays are made when they are first looked at: most functions use few of the columns. */
function lazily(columns: Columns, name: string, make: () => ArrayLike<unknown>): void {
  const settle = (value: ArrayLike<unknown>): void => {
    Object.defineProperty(columns, name, { value, writable: true, enumerable: true, configurable: true });
  };
  Object.defineProperty(columns, name, {
    enumerable: true,
    configurable: true,
    set: settle,
    get() {
      const array = make();
      settle(array);
      return array;
    },
  });
}

function arrayOf(name: string, data: arrow.Data, strings: DictionaryStrings): ArrayLike<unknown> {
  const { type } = data;
  const isNumeric =
    arrow.DataType.isInt(type) ||
    arrow.DataType.isFloat(type) ||
    arrow.DataType.isDate(type) ||
    arrow.DataType.isTimestamp(type) ||
    arrow.DataType.isTime(type);
  if (!isNumeric) return valuesOf(data, strings);
  const numbers = numbersOf(name, data);
  const isWide = data.values instanceof BigInt64Array || data.values instanceof BigUint64Array;
  if (isWide && arrow.DataType.isInt(type) && !numbers.every((value) => Number.isSafeInteger(value))) {
    // Arrays of bigints have no value for a missing one.
    return data.nullCount > 0
      ? valuesOf(data, strings)
      : (data.values as BigInt64Array).slice(0, data.length);
  }
  if (data.nullCount === 0) return numbers.slice();
  const valid = validBytes(data);
  return Float64Array.from(numbers, (value, i) => (valid[i] === 1 ? value : Number.NaN));
}

/**
 * A batch from what a function returned: a record batch or table, an object of arrays, or an array of rows.
 * @throws UserFunctionError when it is none of these or columns differ in length.
 */
export function batchFrom(
  result: unknown,
  origins: Origins,
  operator: string,
  origin?: RowOrigin,
): arrow.RecordBatch {
  if (result instanceof arrow.RecordBatch) return result;
  if (result instanceof arrow.Table) {
    const [batch] = result.batches;
    if (batch !== undefined && result.batches.length === 1) return batch;
    throw new UserFunctionError(
      `${operator} returned a table of ${result.batches.length} batches; one is expected.`,
    );
  }
  if (Array.isArray(result)) return batchFromRows(result as Row[], operator, origin);
  if (typeof result === 'object' && result !== null)
    return batchFromColumns(result as Columns, origins, operator);
  throw new UserFunctionError(
    `${operator} returned ${String(result)}; columns, rows or a record batch are expected.`,
  );
}

/** @param origin where the rows come from. Columns that are handed through unchanged keep their type. */
export function batchFromRows(rows: readonly Row[], operator: string, origin?: RowOrigin): arrow.RecordBatch {
  const fields: arrow.Field[] = [];
  const columns: arrow.Data[] = [];
  const byName = valuesByName(rows, operator);
  for (const [name, values] of byName) {
    const data = origin?.unchanged(name, values) ?? columnOfValues(values, name, origin?.times);
    fields.push(new arrow.Field(name, data.type, true));
    columns.push(data);
    byName.delete(name);
  }
  return recordBatch(new arrow.Schema(fields), columns, rows.length);
}

/**
 * Row by row, each member looked at once: looking for each name in each row takes most of the time where there are
 * thousands of names.
 */
function valuesByName(rows: readonly Row[], operator: string): Map<string, unknown[]> {
  const columns = new Map<string, unknown[]>();
  // Rows mostly have the members of the row before, in the same order.
  const order: { readonly name: string; readonly values: unknown[] }[] = [];
  for (const [i, row] of rows.entries()) {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      throw new UserFunctionError(
        `${operator} gave ${JSON.stringify(row)} as row ${i}; an object is expected.`,
        { row: i },
      );
    }
    const names = Object.keys(row);
    for (let member = 0; member < names.length; member++) {
      const name = names[member]!;
      let column = order[member];
      if (column?.name !== name) {
        column = { name, values: columns.get(name) ?? [] };
        columns.set(name, column.values);
        order[member] = column;
      }
      fillUpTo(column.values, i);
      // Arrays that only ever were added to hold numbers without a box for each.
      column.values.push(row[name]);
    }
  }
  for (const values of columns.values()) fillUpTo(values, rows.length);
  return columns;
}

function fillUpTo(values: unknown[], length: number): void {
  while (values.length < length) values.push(undefined);
}

function columnOfValues(values: readonly unknown[], name: string, times: ExactTimes | undefined): arrow.Data {
  const type = inferType(values, name, times);
  const isTime = times !== undefined && arrow.DataType.isTimestamp(type);
  return columnFromValues(isTime ? times.unitsOf(values, type) : values, type);
}

function batchFromColumns(columns: Columns, origins: Origins, operator: string): arrow.RecordBatch {
  const fields: arrow.Field[] = [];
  const data: arrow.Data[] = [];
  let rows: number | undefined;
  for (const [name, values] of Object.entries(columns)) {
    if (typeof values !== 'object' || values === null || typeof values.length !== 'number') {
      throw new UserFunctionError(`${operator} returned a column "${name}" that is not an array.`, {
        column: name,
      });
    }
    rows ??= values.length;
    if (values.length !== rows) {
      throw new UserFunctionError(
        `${operator} returned ${values.length} values in column "${name}" and ${rows} in others.`,
        { column: name },
      );
    }
    const origin = origins.get(values);
    const column =
      origin !== undefined && isUnchanged(values, name, origin) ? origin : dataFromArray(values, name);
    fields.push(new arrow.Field(name, column.type, true));
    data.push(column);
  }
  return recordBatch(new arrow.Schema(fields), data, rows ?? 0);
}

/** Functions may write into the arrays they are given. */
function isUnchanged(values: ArrayLike<unknown>, name: string, origin: arrow.Data): boolean {
  const before = arrayOf(name, origin, new DictionaryStrings());
  if (before.length !== values.length) return false;
  for (let i = 0; i < values.length; i++) if (!Object.is(values[i], before[i])) return false;
  return true;
}

const typedTypes = new Map<unknown, () => arrow.DataType>([
  [Int8Array, () => new arrow.Int8()],
  [Int16Array, () => new arrow.Int16()],
  [Int32Array, () => new arrow.Int32()],
  [BigInt64Array, () => new arrow.Int64()],
  [Uint8Array, () => new arrow.Uint8()],
  [Uint8ClampedArray, () => new arrow.Uint8()],
  [Uint16Array, () => new arrow.Uint16()],
  [Uint32Array, () => new arrow.Uint32()],
  [BigUint64Array, () => new arrow.Uint64()],
  [Float32Array, () => new arrow.Float32()],
  [Float64Array, () => new arrow.Float64()],
]);

/** Arrow data of any array: typed arrays keep their width; other arrays are looked through for their type. */
export function dataFromArray(values: ArrayLike<unknown>, name: string): arrow.Data {
  const make = typedTypes.get(values.constructor);
  if (make !== undefined) {
    return arrowData({ type: make(), length: values.length, nullCount: 0, data: values as Float64Array });
  }
  if (values instanceof arrow.Vector && values.data.length === 1) return values.data[0]!;
  const list = Array.from(values);
  return columnFromValues(list, inferType(list, name));
}
