// Sorts rows by columns. Missing values come last. Equal rows keep their order.

import * as arrow from 'apache-arrow';
import { concatBatches, columnOf } from '../../../shared/columns/concatBatches.ts';
import { DictionaryStrings } from '../../../shared/columns/dictionaryStrings.ts';
import { takeRows } from '../../../shared/columns/takeRows.ts';
import { typeName } from '../../../shared/columns/typeName.ts';
import { exactValuesOf } from '../../../shared/columns/valuesOf.ts';
import { requireColumns } from '../../../shared/columns/columnErrors.ts';
import { TypeMismatchError } from '../../../shared/columns/columnErrors.ts';
import type { Batches, Operator } from '../plan/planNode.ts';
import type { RunContext } from '../plan/runContext.ts';
import { batchBytes, BatchSpool } from '../spool/batchSpool.ts';
import { comparePresent, rankOf } from './valueOrder.ts';
import { columnNames } from '../../../shared/columns/columnNames.ts';
import { streamed } from './gathered.ts';

const OUTPUT_ROWS = 65_536;

export function sortOperator(keys: readonly string[], descending: boolean): Operator {
  return {
    label: `sort by ${keys.join(', ')}${descending ? ' descending' : ''}`,
    schema: ([input]) => {
      requireColumns(keys, columnNames(input!), 'the dataset');
      return input;
    },
    rowCount: ([rows]) => rows,
    needs: (wanted) => (wanted === undefined ? undefined : [...new Set([...wanted, ...keys])]),
    run: ([input], context) => sort(ordered(input!, keys), keys, descending ? -1 : 1, context),
  };
}

/** @throws TypeMismatchError for keys that have no order that a reader would expect. */
async function* ordered(input: Batches, keys: readonly string[]): AsyncGenerator<arrow.RecordBatch> {
  for await (const batch of input) {
    requireColumns(keys, columnNames(batch.schema), 'the dataset');
    for (const key of keys) requireOrder(columnOf(batch, key).type, key);
    yield batch;
  }
}

/** @throws TypeMismatchError for nested columns. */
export function requireOrder(type: arrow.DataType, column: string): void {
  if (arrow.DataType.isDictionary(type) || (type.children?.length ?? 0) === 0) return;
  throw new TypeMismatchError(`Column "${column}" holds ${typeName(type)}, which has no order.`, { column });
}

/** Sorts what fits in memory; sorted runs that don't are spooled and merged. Lists and structs by their first difference. */
export async function* sort(
  input: Batches,
  keys: readonly string[],
  direction: number,
  context: RunContext,
): AsyncGenerator<arrow.RecordBatch> {
  const runs: BatchSpool[] = [];
  let held: arrow.RecordBatch[] = [];
  let bytes = 0;
  try {
    for await (const batch of input) {
      held.push(batch);
      bytes += batchBytes(batch);
      if (bytes <= context.memoryLimitBytes) continue;
      const run = await BatchSpool.create(context.tempFolder);
      runs.push(run);
      for (const sorted of sortedBatches(held, keys, direction)) await run.append(sorted);
      held = [];
      bytes = 0;
    }
    const last = sortedBatches(held, keys, direction);
    if (runs.length === 0) yield* last;
    else yield* merge([...runs.map((run) => run.read()), streamed(last)], keys, direction);
  } finally {
    for (const run of runs) await run.close();
  }
}

function* sortedBatches(
  batches: readonly arrow.RecordBatch[],
  keys: readonly string[],
  direction: number,
): Generator<arrow.RecordBatch> {
  if (batches.length === 0) return;
  const all = concatBatches(batches);
  const columns = keyColumns(all, keys);
  const order = Int32Array.from({ length: all.numRows }, (_, i) => i);
  order.sort((a, b) => compareRows(columns, a, columns, b, direction) || a - b);
  for (let start = 0; start < order.length; start += OUTPUT_ROWS) {
    yield takeRows(all, order.subarray(start, start + OUTPUT_ROWS));
  }
}

type KeyColumn = readonly unknown[];

function keyColumns(batch: arrow.RecordBatch, keys: readonly string[]): KeyColumn[] {
  const strings = new DictionaryStrings();
  return keys.map((key) => exactValuesOf(columnOf(batch, key), strings));
}

/** NaN and missing values last in either direction. */
function compareRows(
  left: readonly KeyColumn[],
  a: number,
  right: readonly KeyColumn[],
  b: number,
  direction: number,
): number {
  for (let k = 0; k < left.length; k++) {
    const x = left[k]![a];
    const y = right[k]![b];
    const rank = rankOf(x);
    const difference = rank - rankOf(y);
    if (difference !== 0) return difference;
    const order = rank > 0 ? 0 : comparePresent(x, y);
    if (order !== 0) return order * direction;
  }
  return 0;
}

interface Run {
  readonly batches: AsyncIterator<arrow.RecordBatch>;
  batch: arrow.RecordBatch;
  keys: KeyColumn[];
  row: number;
}

/** Earlier runs win ties, so the merge is stable. */
async function* merge(
  inputs: readonly Batches[],
  keys: readonly string[],
  direction: number,
): AsyncGenerator<arrow.RecordBatch> {
  const runs: Run[] = [];
  for (const input of inputs) {
    const batches = input[Symbol.asyncIterator]();
    const first = await batches.next();
    if (first.done !== true)
      runs.push({ batches, batch: first.value, keys: keyColumns(first.value, keys), row: 0 });
  }
  while (runs.length > 0) {
    // Rows are picked until one run needs its next batch, then taken from the batches in hand all at once.
    const picks: number[] = [];
    const offsets: number[] = [];
    let total = 0;
    for (const run of runs) {
      offsets.push(total);
      total += run.batch.numRows;
    }
    let drained = -1;
    while (drained === -1 && picks.length < OUTPUT_ROWS) {
      let least = 0;
      for (let r = 1; r < runs.length; r++) {
        const [x, y] = [runs[r]!, runs[least]!];
        if (compareRows(x.keys, x.row, y.keys, y.row, direction) < 0) least = r;
      }
      const run = runs[least]!;
      picks.push(offsets[least]! + run.row++);
      if (run.row === run.batch.numRows) drained = least;
    }
    yield takeRows(concatBatches(runs.map(({ batch }) => batch)), Int32Array.from(picks));
    if (drained === -1) continue;
    const run = runs[drained]!;
    const next = await run.batches.next();
    if (next.done === true) runs.splice(drained, 1);
    else Object.assign(run, { batch: next.value, keys: keyColumns(next.value, keys), row: 0 });
  }
}
