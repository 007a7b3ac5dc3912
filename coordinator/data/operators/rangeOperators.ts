// Operators that pass on a range of rows, or two inputs side by side.

import * as arrow from 'apache-arrow';
import { recordBatch, sliceBatch } from '../../../shared/columns/arrowData.ts';
import { TypeMismatchError } from '../../../shared/columns/columnErrors.ts';
import type { Batches, Operator } from '../plan/planNode.ts';
import { rebatch } from './rebatch.ts';
import { columnNames } from '../../../shared/columns/columnNames.ts';

/** Bounds of a range of rows, worked out when the rows are first needed. */
export type RowRange = () => Promise<readonly [start: number, end: number]>;

export function limitOperator(rows: number): Operator {
  return {
    ...rangeOperator(`limit ${rows}`, () => Promise.resolve([0, rows])),
    rowCount: ([all]) => Math.min(all!, rows),
  };
}

/** Rows [start, end); reads nothing behind the end. */
export function rangeOperator(label: string, range: RowRange): Operator {
  return {
    label,
    schema: ([input]) => input,
    rowCount: () => undefined,
    needs: (wanted) => wanted,
    run: ([input]) => pickRange(input!, range),
  };
}

async function* pickRange(input: Batches, range: RowRange): AsyncGenerator<arrow.RecordBatch> {
  const [start, end] = await range();
  if (start >= end) return;
  let row = 0;
  for await (const batch of input) {
    const from = Math.max(0, start - row);
    const to = Math.min(batch.numRows, end - row);
    if (from < to) yield from === 0 && to === batch.numRows ? batch : sliceBatch(batch, from, to);
    row += batch.numRows;
    if (row >= end) return;
  }
}

export function repartitionOperator(rows: () => Promise<number>, label: string): Operator {
  return {
    label,
    schema: ([input]) => input,
    rowCount: ([all]) => all,
    needs: (wanted) => wanted,
    run: ([input]) => runRepartition(input!, rows),
  };
}

async function* runRepartition(
  input: Batches,
  rows: () => Promise<number>,
): AsyncGenerator<arrow.RecordBatch> {
  yield* rebatch(input, Math.max(1, await rows()));
}

/** Columns of both inputs side by side; a name that both have gets `_1` in the second. */
export function zipOperator(): Operator {
  return {
    label: 'zip',
    schema: ([left, right]) => new arrow.Schema(zippedFields(left!, right!)),
    rowCount: ([left, right]) => {
      if (left !== right) throw unequal();
      return left;
    },
    needs: () => undefined,
    run: ([left, right]) => zip(left!, right!),
  };
}

function zippedFields(left: arrow.Schema, right: arrow.Schema): arrow.Field[] {
  const taken = new Set(columnNames(left));
  return [
    ...left.fields,
    ...right.fields.map((field) => {
      let { name } = field;
      for (let suffix = 1; taken.has(name); suffix++) name = `${field.name}_${suffix}`;
      taken.add(name);
      return field.clone({ name });
    }),
  ];
}

const ZIP_ROWS = 65_536;

async function* zip(left: Batches, right: Batches): AsyncGenerator<arrow.RecordBatch> {
  const others = rebatch(right, ZIP_ROWS);
  try {
    for await (const batch of rebatch(left, ZIP_ROWS)) {
      const next = await others.next();
      const other = next.done === true ? undefined : next.value;
      if (other?.numRows !== batch.numRows) throw unequal();
      const schema = new arrow.Schema(zippedFields(batch.schema, other.schema));
      yield recordBatch(schema, [...batch.data.children, ...other.data.children], batch.numRows);
    }
    if ((await others.next()).done !== true) throw unequal();
  } finally {
    await others.return(undefined);
  }
}

function unequal(): TypeMismatchError {
  return new TypeMismatchError(
    'The zipped datasets differ in their number of rows; they must have the same.',
  );
}
