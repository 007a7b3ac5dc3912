// Datasets of rows that a program has in memory.

import * as arrow from 'apache-arrow';
import { batchOfBytes, bytesOfBatch } from '../../shared/columns/ipc/batchBytes.ts';
import { batchFromRows } from '../../shared/columns/batchFormats.ts';
import type { Row } from '../../shared/columns/valuesOf.ts';
import { plainSchema } from '../../shared/columns/ipc/plainType.ts';
import { Dataset } from './dataset.ts';
import { MemorySource } from './source/memorySource.ts';

/** Rows as objects; anything else becomes the column `item`. Numbers become doubles. */
export function fromItems(items: readonly unknown[]): Dataset {
  const rows = items.map((item): Row => {
    const isRow =
      typeof item === 'object' && item !== null && !Array.isArray(item) && !ArrayBuffer.isView(item);
    return isRow && !(item instanceof Date) ? (item as Row) : { item };
  });
  const batches = rows.length === 0 ? [] : [batchFromRows(rows, 'fromItems')];
  return Dataset.fromSource(new MemorySource(`${items.length} items`, batches));
}

/**
 * An Arrow table, or record batches. They are not copied, unless they have types of which there is a plainer one: large
 * and view types, maps, decimals (as doubles), or columns of one name (the second is called `name_1`).
 */
export function fromArrow(data: arrow.Table | arrow.RecordBatch | readonly arrow.RecordBatch[]): Dataset {
  const batches =
    data instanceof arrow.Table ? data.batches : data instanceof arrow.RecordBatch ? [data] : data;
  return Dataset.fromSource(new MemorySource('Arrow batches', batches.map(plainBatch)));
}

function plainBatch(batch: arrow.RecordBatch): arrow.RecordBatch {
  const plain = plainSchema(batch.schema).fields;
  const isPlain = batch.schema.fields.every(
    ({ name, type }, i) => name === plain[i]!.name && String(type) === String(plain[i]!.type),
  );
  return isPlain ? batch : batchOfBytes(bytesOfBatch(batch));
}
