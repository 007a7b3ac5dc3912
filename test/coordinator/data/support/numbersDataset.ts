// Small datasets for suites of operations.

import type * as arrow from 'apache-arrow';
import type { Dataset } from '../../../../coordinator/data/dataset.ts';
import { fromArrow, fromItems } from '../../../../coordinator/data/fromMemory.ts';

/** Rows that count in column i, from 0. */
export const numbers = (rows: number): Dataset => fromItems(Array.from({ length: rows }, (_, i) => ({ i })));

export const values = async (dataset: Dataset, column = 'i'): Promise<unknown[]> =>
  (await dataset.takeAll()).map((row) => row[column]);

/** The same rows in batches of 100, so that operators see several. */
export async function inBatches(dataset: Dataset, batchSize = 100): Promise<Dataset> {
  const batches: arrow.RecordBatch[] = [];
  for await (const batch of dataset.iterBatches({ batchSize, batchFormat: 'arrow' })) batches.push(batch);
  return fromArrow(batches);
}
