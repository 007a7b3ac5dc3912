// Rows that were computed once and are kept, in memory or in a temporary file.

import * as arrow from 'apache-arrow';
import type { Gathered } from '../operators/gathered.ts';
import type { ReadRequest, Source } from '../plan/planNode.ts';
import { type RunContext, throwIfAborted } from '../plan/runContext.ts';
import { narrowed } from './memorySource.ts';

export class GatheredSource implements Source {
  readonly label: string;
  readonly #gathered: Gathered;
  readonly #planned: arrow.Schema | undefined;
  #schema: arrow.Schema | undefined;

  /** @param schema where it is known without rows. */
  constructor(gathered: Gathered, schema?: arrow.Schema) {
    this.#planned = schema;
    this.label = `materialized rows (${gathered.batches === undefined ? 'on disk' : 'in memory'})`;
    this.#gathered = gathered;
  }

  async schema(): Promise<arrow.Schema> {
    if (this.#schema !== undefined) return this.#schema;
    for await (const batch of this.#gathered.read()) {
      this.#schema = batch.schema;
      return batch.schema;
    }
    return this.#planned ?? new arrow.Schema([]);
  }

  rowCount(): Promise<number> {
    return Promise.resolve(this.#gathered.rows);
  }

  async *read({ columns }: ReadRequest, context: RunContext): AsyncGenerator<arrow.RecordBatch> {
    for await (const batch of this.#gathered.read()) {
      throwIfAborted(context);
      yield columns === undefined ? batch : narrowed(batch, columns, this.label);
    }
  }
}
