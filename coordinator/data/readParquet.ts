// Parquet files as a dataset.

import { Dataset } from './dataset.ts';
import { DataArgumentError } from './errors.ts';
import { ParquetSource } from './source/parquetSource.ts';
import { labelOf, listFiles, type Paths, type StoreOptions } from './store/listFiles.ts';

export interface ReadParquetOptions extends StoreOptions {
  /** Columns to read; all when left out. */
  readonly columns?: readonly string[];
  /** Rows of a batch at most; 65,536 by default. */
  readonly batchRows?: number;
}

/**
 * Reads a file, a folder (its .parquet files, sorted), or a list of these, from disk, http(s):// or s3://.
 * Nothing is opened before the dataset is used. Decimals become doubles; strings that the file keeps as a dictionary
 * stay one. All files must have the first one's columns, with its types.
 */
export function readParquet(paths: Paths, options: ReadParquetOptions = {}): Dataset {
  const { batchRows = 65_536, columns } = options;
  if (!Number.isInteger(batchRows) || batchRows < 1) {
    throw new DataArgumentError(`batchRows is ${batchRows}; a whole number of at least 1 is expected.`, {
      field: 'batchRows',
    });
  }
  const list = listFiles(paths, ['.parquet', '.pq'], options);
  return Dataset.fromSource(new ParquetSource(labelOf(paths), list, { columns, batchRows }));
}
