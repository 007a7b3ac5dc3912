// Writes a dataset as one file. Datasets write folders of parts; here the one part takes the name that was asked for,
// and only when it is complete.

import { mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import type * as arrow from 'apache-arrow';
import type { Dataset } from '../data/dataset.ts';
import { DiskFullError, WriteFailedError } from '../data/plan/dataErrors.ts';
import { writeError } from '../data/store/writeError.ts';
import type { WriteOptions } from '../data/sink/writeFolder.ts';
import { NoRowsError } from '../train/trainErrors.ts';
import { BadArgumentError } from './cliErrors.ts';

type Writer = (dataset: Dataset, folder: string, options: WriteOptions) => Promise<string[]>;

const writers: Readonly<Record<string, Writer>> = {
  '.parquet': (dataset, folder, options) => dataset.writeParquet(folder, options),
  '.csv': (dataset, folder, options) => dataset.writeCsv(folder, options),
  '.jsonl': (dataset, folder, options) => dataset.writeJson(folder, options),
  '.json': (dataset, folder, options) => dataset.writeJson(folder, options),
};

/**
 * @returns the number of rows.
 * @throws BadArgumentError for an unknown ending, NoRowsError when there are none, and what writing throws.
 */
export async function writeSingleFile(dataset: Dataset, file: string, signal: AbortSignal): Promise<number> {
  const write = writers[extname(file).toLowerCase()];
  if (write === undefined)
    throw new BadArgumentError(
      `--out must end with one of ${Object.keys(writers).join(', ')}, but is ${file}.`,
    );
  const staging = await mkdtemp(join(dirname(file), '.predicting-')).catch((error: unknown) => {
    throw writeError(error, dirname(file));
  });
  try {
    let rows = 0;
    const counted = dataset.mapBatches(
      (batch: arrow.RecordBatch) => {
        rows += batch.numRows;
        return batch;
      },
      { batchFormat: 'arrow' },
    );
    const [part] = await write(counted, staging, { signal, rowsPerFile: Number.MAX_SAFE_INTEGER });
    if (part === undefined) throw new NoRowsError('The data to predict has no rows; nothing was written.');
    await rename(part, file).catch((error: unknown) => {
      throw writeError(error, file);
    });
    return rows;
  } catch (error) {
    // Names the file that was asked for, not the one that was written first.
    if (error instanceof DiskFullError || error instanceof WriteFailedError)
      throw writeError(error.cause, file);
    throw error;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
