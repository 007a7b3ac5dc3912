// Cuts and joins a stream of batches to batches of one size.

import type * as arrow from 'apache-arrow';
import { sliceBatch } from '../../../shared/columns/arrowData.ts';
import { concatBatches } from '../../../shared/columns/concatBatches.ts';
import type { Batches } from '../plan/planNode.ts';

/** Batches of exactly `batchRows` rows; the last may be smaller. Whole and cut batches are not copied. */
export async function* rebatch(input: Batches, batchRows: number): AsyncGenerator<arrow.RecordBatch> {
  let held: arrow.RecordBatch[] = [];
  let heldRows = 0;
  for await (const batch of input) {
    let start = 0;
    while (heldRows + batch.numRows - start >= batchRows) {
      const end = start + batchRows - heldRows;
      held.push(start === 0 && end === batch.numRows ? batch : sliceBatch(batch, start, end));
      yield concatBatches(held);
      held = [];
      heldRows = 0;
      start = end;
    }
    if (start < batch.numRows) {
      held.push(start === 0 ? batch : sliceBatch(batch, start, batch.numRows));
      heldRows += batch.numRows - start;
    }
  }
  if (heldRows > 0) yield concatBatches(held);
}
