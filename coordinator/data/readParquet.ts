// Parquet files as a dataset.

import { Dataset } from './dataset.ts';
import { checkReadOptions, type ReadParquetOptions } from './readOptions.ts';
import { ParquetSource } from './source/parquetSource.ts';
import { labelOf, listFiles, type Paths } from './store/listFiles.ts';

/**
 * Reads a file, a folder (its .parquet files, sorted), or a list of these, from disk, http(s):// or s3://.
 * Nothing is opened before the dataset is used. Decimals become doubles, INT96 instants
 * microseconds, maps lists of {key, value}; strings that the file keeps as a dictionary stay one. Of columns with one name
 * the second is called `name_1`. Without `unionByName` all files must have the first one's columns, with its types,
 * and no others unless `columns` says which to read (DATA_TYPE_MISMATCH).
 */
export function readParquet(paths: Paths, options: ReadParquetOptions = {}): Dataset {
  checkReadOptions('readParquet', options);
  const { batchRows = 65_536, columns, binaryAsString, memoryLimitBytes, unionByName } = options;
  const list = listFiles(paths, ['.parquet', '.pq'], options);
  const settings = { columns, batchRows, binaryAsString, memoryLimitBytes, unionByName };
  return Dataset.fromSource(new ParquetSource(labelOf(paths), list, settings));
}
