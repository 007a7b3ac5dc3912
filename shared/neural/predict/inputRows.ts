// Rows of a batch's columns as the values of one input of a net.

import { ColumnUnsuitableError } from '../../columns/columnErrors.ts';
import type { InputRows, TensorInput } from '../../serve/layersNet.ts';
import { elements } from '../graph/graphBuilder.ts';

export interface RowRange {
  readonly from: number;
  readonly to: number;
}

type Columns = Readonly<Record<string, ArrayLike<unknown>>>;

/**
 * @param names of the columns whose values follow one another.
 * @throws ColumnUnsuitableError naming the row and the column.
 */
export function inputRows(
  port: TensorInput,
  names: readonly string[],
  columns: Columns,
  { from, to }: RowRange,
): InputRows {
  const shape = shapeOfRow(
    port,
    names.map((name) => columns[name]![from]),
    { row: from, column: names[0] ?? port.name },
  );
  const width = elements(shape);
  const values = new (port.dtype === 'int32' ? Int32Array : Float32Array)((to - from) * width);
  for (let row = from; row < to; row++) {
    const start = (row - from) * width;
    let end = start;
    const take = (value: unknown, column: string): void => {
      if (isList(value)) {
        for (const one of value) take(one, column);
        return;
      }
      const isNumber = typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
      if (!isNumber || !Number.isFinite(Number(value))) {
        throw new ColumnUnsuitableError(
          `row ${row} of a batch: column "${column}" is ${String(value).slice(0, 60)}; the model expects finite numbers`,
          { row, column },
        );
      }
      if (end < start + width) values[end] = Number(value);
      end += 1;
    };
    for (const name of names) take(columns[name]![row], name);
    if (end - start === width) continue;
    throw new ColumnUnsuitableError(
      `row ${row} of a batch: ${names.join(', ')} have ${end - start} values; "${port.name}" takes ${width} ([${shape.join(', ')}])`,
      { row, column: names[0] ?? port.name },
    );
  }
  return { values, shape };
}

/** Dimensions that the model leaves open are those of the first row: one by its number of values, more by its nested lists. */
function shapeOfRow(
  { name, shape }: TensorInput,
  values: readonly unknown[],
  place: { readonly row: number; readonly column: string },
): readonly number[] {
  const given = shape.filter((size) => size !== null);
  if (given.length === shape.length) return given;
  const nested = values.length === 1 ? lengthsOf(values[0]) : [];
  if (nested.length === shape.length) return shape.map((size, at) => size ?? nested[at]!);
  const open = countOf(values) / elements(given);
  if (given.length === shape.length - 1 && Number.isInteger(open) && open > 0)
    return shape.map((size) => size ?? open);
  throw new ColumnUnsuitableError(
    `row ${place.row} of a batch: "${name}" takes [${shape.map((size) => size ?? 'any').join(', ')}], and ${countOf(values)} values do not say which; give each row as lists in lists`,
    place,
  );
}

function lengthsOf(value: unknown): number[] {
  return isList(value) ? [value.length, ...lengthsOf(value[0])] : [];
}

function countOf(value: unknown): number {
  if (!isList(value)) return 1;
  return ArrayBuffer.isView(value)
    ? value.length
    : Array.from(value).reduce<number>((sum, one) => sum + countOf(one), 0);
}

function isList(value: unknown): value is ArrayLike<unknown> & Iterable<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}
