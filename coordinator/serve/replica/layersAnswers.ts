// Predictions of a tf.LayersModel in the shape that the rows came in.

import type { OutputValues, TensorOutput } from '../../../shared/serve/layersNet.ts';
import { isOneNumber } from './describeLayers.ts';
import type { RowShape } from '../request/readRows.ts';

/** The rows of one output. */
export interface OutputRows extends TensorOutput {
  readonly values: OutputValues;
  readonly rowShape: readonly number[];
}

type Nested = number | boolean | null | readonly Nested[];

/** JSON has no NaN and no infinities: null. */
export function predictionsText(outputs: readonly OutputRows[], rows: number, shape: RowShape): string {
  return JSON.stringify(predictionsValue(outputs, rows, shape));
}

/** As KServe's V1 protocol has it: the values of a row, by name where there are several outputs. */
export function instancesText(outputs: readonly OutputRows[], rows: number): string {
  const [only, ...others] = outputs;
  const predictions =
    only && others.length === 0 ? rowsOf(only, rows) : predictionsValue(outputs, rows, 'records');
  return JSON.stringify({ predictions });
}

export function predictionsValue(
  outputs: readonly OutputRows[],
  rows: number,
  shape: RowShape,
): object | readonly object[] {
  const columns = outputs.map((output) => [output.name, rowsOf(output, rows)] as const);
  if (shape === 'columns') return Object.fromEntries(columns);
  const records = Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(columns.map(([name, values]) => [name, values[row]!])),
  );
  return shape === 'record' ? records[0]! : records;
}

function rowsOf({ values, rowShape, dtype }: OutputRows, rows: number): Nested[] {
  let at = 0;
  const nested = (axis: number): Nested => {
    if (axis < rowShape.length) return Array.from({ length: rowShape[axis]! }, () => nested(axis + 1));
    const value = values[at++]!;
    return dtype === 'bool' ? value !== 0 : value;
  };
  // An array of one number is that number.
  const first = isOneNumber(rowShape) ? rowShape.length : 0;
  return Array.from({ length: rows }, () => nested(first));
}
