// Calls a function of batches with the form of batch that it takes, and makes Arrow of what it returns.

import type * as arrow from 'apache-arrow';
import { batchFrom, columnsOf, type BatchFormat, type Columns, type Origins } from './batchFormats.ts';
import type { DictionaryStrings } from './dictionaryStrings.ts';
import { rowsOf, type Row } from './valuesOf.ts';

export interface BatchInput {
  readonly columns: Columns;
  readonly arrow: arrow.RecordBatch;
  readonly rows: Row[];
}

/** @throws UserFunctionError when it returns what is no batch; what it throws itself. */
export async function callOnBatch(
  call: (batch: BatchInput[BatchFormat]) => unknown,
  batch: arrow.RecordBatch,
  { format, label, strings }: { format: BatchFormat; label: string; strings: DictionaryStrings },
): Promise<arrow.RecordBatch> {
  let given: BatchInput[BatchFormat] = batch;
  let origins: Origins = new Map();
  if (format === 'columns') {
    const made = columnsOf(batch, strings);
    given = made.columns;
    origins = made.origins;
  } else if (format === 'rows') {
    given = rowsOf(batch, strings);
  }
  return batchFrom(await call(given), origins, label);
}
