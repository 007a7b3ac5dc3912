// One execution shared by several consumers: each batch goes to the next consumer that asks, so a slow one does not hold up the others.

import type * as arrow from 'apache-arrow';
import { type Columns, columnsOf } from '../../shared/columns/batchFormats.ts';
import { DictionaryStrings } from '../../shared/columns/dictionaryStrings.ts';
import type { Batches } from './plan/planNode.ts';

/** One consumer's part of the rows. Every call of an iterator is a pass of its own over the dataset. */
export interface DatasetShare {
  /** Arrow batches of this share. */
  iterArrow(): AsyncGenerator<arrow.RecordBatch>;
  /** The same as objects of arrays. */
  iterBatches(): AsyncGenerator<Columns>;
}

/** The k-th pass of every share reads from one common execution. Together they see each row once. */
export function shareStream(count: number, start: () => Batches): DatasetShare[] {
  const passes: Pass[] = [];
  return Array.from({ length: count }, () => {
    let nextPass = 0;
    const iterArrow = async function* (): AsyncGenerator<arrow.RecordBatch> {
      const pass = (passes[nextPass] ??= new Pass(start(), count));
      nextPass++;
      try {
        for (let batch = await pass.next(); batch !== undefined; batch = await pass.next()) yield batch;
      } finally {
        await pass.leave();
      }
    };
    const iterBatches = async function* (): AsyncGenerator<Columns> {
      const strings = new DictionaryStrings();
      for await (const batch of iterArrow()) yield columnsOf(batch, strings).columns;
    };
    return { iterArrow, iterBatches };
  });
}

class Pass {
  readonly #iterator: AsyncIterator<arrow.RecordBatch>;
  /** Pulls one after the other; an async generator queues calls by itself, other iterators need not. */
  #last: Promise<unknown> = Promise.resolve();
  #consumers: number;

  constructor(batches: Batches, consumers: number) {
    this.#consumers = consumers;
    this.#iterator = batches[Symbol.asyncIterator]();
  }

  /** The last consumer to leave stops the execution. */
  async leave(): Promise<void> {
    if (--this.#consumers === 0) await this.#iterator.return?.();
  }

  next(): Promise<arrow.RecordBatch | undefined> {
    const next = this.#last.then(async () => {
      const result = await this.#iterator.next();
      return result.done === true ? undefined : result.value;
    });
    this.#last = next.catch(() => undefined);
    return next;
  }
}
