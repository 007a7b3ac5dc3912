// Parquet files as a dataset.

import { Dataset } from './dataset.ts';
import { DataArgumentError } from './plan/dataErrors.ts';
import { ParquetSource } from './source/parquetSource.ts';
import { labelOf, listFiles, type Paths, type StoreOptions } from './store/listFiles.ts';

export interface ReadParquetOptions extends StoreOptions {
  /** Columns to read; all when left out. */
  readonly columns?: readonly string[];
  /** Rows of a batch at most; 65,536 by default. */
  readonly batchRows?: number;
  /**
   * Read byte strings without a logical type as text, as Impala, old Hive and ClickHouse write it; they are bytes when
   * false, the default.
   */
  readonly binaryAsString?: boolean;
  /**
   * Bytes that the pages, dictionaries and texts of one row group may take unpacked at one time, all columns together
   * (DATA_TOO_LARGE beyond). By default 256 MiB, or 32 times what the file stores of the row group where that is more.
   */
  readonly memoryLimitBytes?: number;
  /**
   * Reads files whose columns differ: the table has the columns of all of them, numbers and times of types that hold all
   * their values, and what a file does not have is missing. All footers are read before the first row then.
   */
  readonly unionByName?: boolean;
}

/**
 * Reads a file, a folder (its .parquet files, sorted), or a list of these, from disk, http(s):// or s3://.
 * Nothing is opened before the dataset is used. Decimals become doubles, INT96 instants
 * microseconds, maps lists of {key, value}; strings that the file keeps as a dictionary stay one. Of columns with one name
 * the second is called `name_1`. Without `unionByName` all files must have the first one's columns, with its types,
 * and no others unless `columns` says which to read (DATA_TYPE_MISMATCH).
 */
export function readParquet(paths: Paths, options: ReadParquetOptions = {}): Dataset {
  const { batchRows = 65_536, columns, binaryAsString, memoryLimitBytes, unionByName } = options;
  if (!Number.isInteger(batchRows) || batchRows < 1) {
    throw new DataArgumentError(`batchRows is ${batchRows}; a whole number of at least 1 is expected.`, {
      field: 'batchRows',
    });
  }
  if (memoryLimitBytes !== undefined && !(memoryLimitBytes >= 1)) {
    throw new DataArgumentError(`memoryLimitBytes is ${memoryLimitBytes}; at least 1 is expected.`, {
      field: 'memoryLimitBytes',
    });
  }
  const list = listFiles(paths, ['.parquet', '.pq'], options);
  const settings = { columns, batchRows, binaryAsString, memoryLimitBytes, unionByName };
  return Dataset.fromSource(new ParquetSource(labelOf(paths), list, settings));
}
