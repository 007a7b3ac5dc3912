// Datasets of rows that a program has in memory.

import * as arrow from 'apache-arrow';
import { batchFromRows } from '../../shared/columns/batchFormats.ts';
import type { Row } from '../../shared/columns/valuesOf.ts';
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

/** An Arrow table, or record batches; they are not copied. */
export function fromArrow(data: arrow.Table | arrow.RecordBatch | readonly arrow.RecordBatch[]): Dataset {
  const batches =
    data instanceof arrow.Table ? data.batches : data instanceof arrow.RecordBatch ? [data] : data;
  return Dataset.fromSource(new MemorySource('Arrow batches', batches));
}
