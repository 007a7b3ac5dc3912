// Calls a function of batches with the form of batch that it takes, and makes Arrow of what it returns or, as a generator,
// yields.

import type * as arrow from 'apache-arrow';
import { batchFrom, columnsOf, type BatchFormat, type Columns, type Origins } from './batchFormats.ts';
import type { DictionaryStrings } from './dictionaryStrings.ts';
import { concatBatches } from './concatBatches.ts';
import { RowOrigin } from './rowOrigin.ts';
import type { Row } from './valuesOf.ts';

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
  const origin = new RowOrigin(batch, strings);
  if (format === 'columns') {
    const made = columnsOf(batch, strings);
    given = made.columns;
    origins = made.origins;
  } else if (format === 'rows') {
    given = origin.rows();
  }
  const result: unknown = await call(given);
  if (!isGenerator(result)) return batchFrom(result, origins, label, origin);
  const batches: arrow.RecordBatch[] = [];
  for await (const part of result) batches.push(batchFrom(part, origins, label, origin));
  return concatBatches(batches);
}

/** Arrays and tables are iterable, too, and are batches themselves. */
function isGenerator(result: unknown): result is AsyncIterable<unknown> | Iterable<unknown> {
  if (typeof result !== 'object' || result === null) return false;
  const { next } = result as { readonly next?: unknown };
  return typeof next === 'function' && (Symbol.iterator in result || Symbol.asyncIterator in result);
}
