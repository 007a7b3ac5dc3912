import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteFile } from 'hyparquet-writer';
import { expect, it } from 'vitest';
import { readParquet } from '../../../coordinator/data/readParquet.ts';
import { seededRandom } from '../../setup/seededRandom.ts';

const ROWS = 5000;

/** Numbers of all sizes of words, with and without missing ones; barely packed, so that pages use memory again. */
function table(): Record<string, (number | bigint | null)[]> {
  const random = seededRandom(3);
  const numbers = Array.from({ length: ROWS }, random);
  return {
    float: numbers.map(Math.fround),
    gaps: numbers.map((value) => (value < 0.1 ? null : value)),
    double: numbers.map((value) => value * 3),
    int: numbers.map((value) => Math.floor(value * 2 ** 31)),
    long: numbers.map((value) => BigInt(Math.floor(value * 2 ** 52))),
  };
}

it.each([
  [1000, 1000],
  [1000, 700],
  [5000, 64],
  [1700, 4096],
])(
  'batches keep their values while later pages of row groups of %i are read %i rows at a time',
  async (group, batchRows) => {
    const folder = await mkdtemp(join(tmpdir(), 'tabgrad-pages-'));
    try {
      const filename = join(folder, 'numbers.parquet');
      const columns = table();
      const types = {
        float: 'FLOAT',
        gaps: 'DOUBLE',
        double: 'DOUBLE',
        int: 'INT32',
        long: 'INT64',
      } as const;
      const columnData = Object.entries(types).map(([name, type]) => ({
        name,
        type,
        data: columns[name]!,
        encoding: 'PLAIN' as const,
        // A column that has a value in all rows has no levels, so that a page may be its values alone.
        nullable: name === 'gaps' || name === 'int',
      }));
      parquetWriteFile({ filename, columnData, rowGroupSize: group, pageSize: 3000, codec: 'SNAPPY' });
      const batches = [];
      for await (const batch of readParquet(filename, { batchRows }).iterArrow()) batches.push(batch);
      expect(batches.length).toBeGreaterThan(1);
      for (const name of Object.keys(types)) {
        const read = batches.flatMap((batch) => [...batch.getChild(name)!] as (number | bigint | null)[]);
        expect(read).toEqual(columns[name]);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
