// Collects rows up to the memory limit and, beyond it, in a spool. What operators that need all rows build on.

import type * as arrow from 'apache-arrow';
import type { Batches } from '../plan/planNode.ts';
import type { RunContext } from '../plan/runContext.ts';
import { batchBytes, BatchSpool } from '../spool/batchSpool.ts';

export interface Gathered {
  readonly rows: number;
  /** All rows when they fit in memory. */
  readonly batches: readonly arrow.RecordBatch[] | undefined;
  /** The rows, as often as wanted. */
  read(): Batches;
  /** Frees the temporary file, if there is one. */
  close(): Promise<void>;
}

export async function gather(input: Batches, context: RunContext): Promise<Gathered> {
  let batches: arrow.RecordBatch[] = [];
  let bytes = 0;
  let rows = 0;
  let spool: BatchSpool | undefined;
  try {
    for await (const batch of input) {
      rows += batch.numRows;
      if (spool !== undefined) {
        await spool.append(batch);
        continue;
      }
      batches.push(batch);
      bytes += batchBytes(batch);
      if (bytes > context.memoryLimitBytes) {
        spool = await BatchSpool.create(context.tempFolder);
        for (const held of batches) await spool.append(held);
        batches = [];
      }
    }
  } catch (error) {
    await spool?.close();
    throw error;
  }
  const onDisk = spool;
  if (onDisk !== undefined)
    return { rows, batches: undefined, read: () => onDisk.read(), close: () => onDisk.close() };
  return { rows, batches, read: () => streamed(batches), close: () => Promise.resolve() };
}

/** Batches of memory where a stream of them is taken. */
export async function* streamed(batches: Iterable<arrow.RecordBatch>): AsyncGenerator<arrow.RecordBatch> {
  for (const batch of batches) yield await Promise.resolve(batch);
}
