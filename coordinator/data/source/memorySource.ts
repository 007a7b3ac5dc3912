// Batches that are in memory already.

import * as arrow from 'apache-arrow';
import { recordBatch } from '../../../shared/columns/arrowData.ts';
import type { ReadRequest, Source } from '../plan/planNode.ts';
import { type RunContext, throwIfAborted } from '../plan/runContext.ts';
import { columnIndexes, selectFields } from '../../../shared/columns/columnNames.ts';

export class MemorySource implements Source {
  readonly label: string;
  readonly #batches: readonly arrow.RecordBatch[];

  constructor(label: string, batches: readonly arrow.RecordBatch[]) {
    this.label = label;
    this.#batches = batches;
  }

  schema(): Promise<arrow.Schema> {
    return Promise.resolve(this.#batches[0]?.schema ?? new arrow.Schema([]));
  }

  rowCount(): Promise<number> {
    return Promise.resolve(this.#batches.reduce((rows, batch) => rows + batch.numRows, 0));
  }

  async *read({ columns }: ReadRequest, context: RunContext): AsyncGenerator<arrow.RecordBatch> {
    for (const batch of this.#batches) {
      throwIfAborted(context);
      yield await Promise.resolve(columns === undefined ? batch : narrowed(batch, columns, this.label));
    }
  }
}

export function narrowed(
  batch: arrow.RecordBatch,
  columns: readonly string[],
  where: string,
): arrow.RecordBatch {
  const schema = selectFields(batch.schema, columns, where);
  const indexes = columnIndexes(batch.schema);
  return recordBatch(
    schema,
    columns.map((name) => batch.data.children[indexes.get(name)!]!),
    batch.numRows,
  );
}
