// Parquet files with every encoding and codec that DuckDB writes, nested columns among them.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dataset } from '../../coordinator/data/dataset.ts';
import { ParquetSource } from '../../coordinator/data/source/parquetSource.ts';
import { withDuck } from '../coordinator/data/support/duck.ts';
import type { FuzzTarget } from './fuzzTarget.ts';
import { memoryFile } from './memoryFile.ts';

const SQL = `
  SELECT i AS whole, CASE WHEN i % 3 = 0 THEN NULL ELSE i / 7.0 END AS real, 'word ' || (i % 5) AS word,
    'text ' || i AS text, i % 2 = 0 AS flag, DATE '2001-01-01' + i::INTEGER AS day,
    TIMESTAMP '2001-01-01' + to_seconds(i) AS moment, (i * 1.5)::DECIMAL(30, 3) AS price, md5(i::VARCHAR)::UUID AS id,
    CASE WHEN i % 3 = 0 THEN NULL WHEN i % 3 = 1 THEN [] ELSE [i, NULL] END AS list,
    CASE WHEN i % 4 = 0 THEN NULL ELSE {'a': i, 'b': ['x' || i, NULL]} END AS struct, MAP {i: 'v' || i} AS map
  FROM range(200) t(i)`;

const VARIANTS = [
  "CODEC 'uncompressed'",
  "CODEC 'uncompressed', PARQUET_VERSION v2",
  "CODEC 'snappy', PARQUET_VERSION v2",
  "CODEC 'gzip'",
  "CODEC 'zstd'",
  "CODEC 'lz4_raw'",
  "CODEC 'uncompressed', DICTIONARY_SIZE_LIMIT 1",
];

export const parquetTarget: FuzzTarget = {
  name: 'parquet',
  async files() {
    const folder = mkdtempSync(join(tmpdir(), 'tabgrad-fuzz-'));
    try {
      return await withDuck(async (duck) => {
        const files: Uint8Array[] = [];
        for (const [i, variant] of VARIANTS.entries()) {
          const file = join(folder, `${i}.parquet`);
          await duck.run(`COPY (${SQL}) TO '${file}' (FORMAT parquet, ${variant})`);
          files.push(new Uint8Array(readFileSync(file)));
        }
        return files;
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  read(bytes) {
    const list = () => Promise.resolve([memoryFile('fuzzed.parquet', bytes)]);
    const options = { batchRows: 64, memoryLimitBytes: undefined };
    return Dataset.fromSource(new ParquetSource('fuzzed', list, options)).takeAll();
  },
};
