// A table of numbers alone, as physics data sets have them, in a Parquet file: what preparation is measured on.

import { join } from 'node:path';
import * as arrow from 'apache-arrow';
import { fromArrow } from '../../../coordinator/data/fromMemory.ts';
import { recordBatch } from '../../../shared/columns/arrowData.ts';
import { seededRandom } from '../../setup/seededRandom.ts';

export const NUMERIC_LABEL = 'y';
export const NUMERIC_FEATURES = 28;
/** Every so many features is one of few values, as counts are. */
const FEW_VALUES_EVERY = 7;
const BATCH_ROWS = 131_072;

/** The table's columns, the label last: float32, no value missing. */
function numericColumns(rows: number): Float32Array<ArrayBuffer>[] {
  const random = seededRandom(28);
  const features = Array.from({ length: NUMERIC_FEATURES }, (_, feature) => {
    const isFew = feature % FEW_VALUES_EVERY === FEW_VALUES_EVERY - 1;
    // Sums of uniform numbers, on a scale of the feature's own.
    return Float32Array.from({ length: rows }, () =>
      isFew ? Math.floor(4 * random()) : (random() + random() + random() - 1.5) * (1 + feature),
    );
  });
  const label = Float32Array.from({ length: rows }, (_, row) => {
    const score = features[0]![row]! + features[1]![row]! * features[2]![row]! + 0.3 * features[6]![row]!;
    return score + random() > 1 ? 1 : 0;
  });
  return [...features, label];
}

/** Writes the table to a file below `folder`. @returns its path. */
export async function writeNumericTable(folder: string, rows: number): Promise<string> {
  const columns = numericColumns(rows);
  const names = columns.map((_, i) => (i === NUMERIC_FEATURES ? NUMERIC_LABEL : `f${i}`));
  const schema = new arrow.Schema(names.map((name) => new arrow.Field(name, new arrow.Float32(), true)));
  const batches = Array.from({ length: Math.ceil(rows / BATCH_ROWS) }, (_, batch) => {
    const first = batch * BATCH_ROWS;
    const length = Math.min(BATCH_ROWS, rows - first);
    const data = columns.map((column) =>
      arrow.makeData({
        type: new arrow.Float32(),
        length,
        nullCount: 0,
        data: column.subarray(first, first + length),
      }),
    );
    return recordBatch(schema, data, length);
  });
  const [path] = await fromArrow(batches).writeParquet(join(folder, 'table'), { rowsPerFile: rows });
  return path!;
}
