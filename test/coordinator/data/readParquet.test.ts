import { describe, expect, it } from 'vitest';
import { readParquet } from '../../../coordinator/data/readParquet.ts';
import { duckRows, withDuck } from './support/duck.ts';
import { flightsParquet, scratchFolder } from './support/scratch.ts';

const path = scratchFolder();

/** Every type that tables for training have, with nulls in every third row. */
const everyType = `
  SELECT
    i AS row,
    CASE WHEN i % 3 = 0 THEN NULL ELSE i % 2 = 0 END AS flag,
    CASE WHEN i % 3 = 1 THEN NULL ELSE (i % 256 - 128)::TINYINT END AS i8,
    CASE WHEN i % 3 = 1 THEN NULL ELSE (i * 7 % 65536 - 32768)::SMALLINT END AS i16,
    (i * 104729 - 2000000000)::INTEGER AS i32,
    CASE WHEN i % 3 = 2 THEN NULL ELSE i * 1000003 - 4000000000 END AS i64,
    (i % 256)::UTINYINT AS u8, (i * 11 % 65536)::USMALLINT AS u16, (i * 858983)::UINTEGER AS u32,
    CASE WHEN i % 3 = 0 THEN NULL ELSE (i * 31)::UBIGINT END AS u64,
    CASE WHEN i % 3 = 0 THEN NULL ELSE (i / 7.0)::FLOAT END AS f32,
    CASE WHEN i = 4 THEN 'nan'::DOUBLE WHEN i = 5 THEN 'inf'::DOUBLE ELSE sin(i) END AS f64,
    (i * 1.01)::DECIMAL(9, 2) AS dec32, (i * 1.0001)::DECIMAL(18, 4) AS dec64, (i * 0.5)::DECIMAL(30, 6) AS dec128,
    CASE WHEN i % 3 = 0 THEN NULL ELSE DATE '2001-01-01' + (i % 4000)::INTEGER END AS day,
    CASE WHEN i % 3 = 1 THEN NULL ELSE TIMESTAMP '2001-01-01 00:00:00' + to_seconds(i * 61) END AS moment,
    (TIMESTAMP '1969-12-31 23:59:00' + to_seconds(i))::TIMESTAMP_MS AS moment_ms,
    CASE WHEN i % 3 = 2 THEN NULL ELSE 'word ' || (i % 50) END AS repeated,
    CASE WHEN i % 5 = 0 THEN '' ELSE 'Ünïque ' || i || repeat('x', (i % 40)::INTEGER) END AS unique_text,
    CASE WHEN i % 3 = 0 THEN NULL ELSE encode('b' || i) END AS bytes,
    md5(i::VARCHAR)::UUID AS id,
    CASE WHEN i % 3 = 0 THEN NULL WHEN i % 3 = 1 THEN [] ELSE [i, NULL, i + 1] END AS list,
    CASE WHEN i % 4 = 0 THEN NULL ELSE {'a': i, 'b': CASE WHEN i % 5 = 0 THEN NULL ELSE 't' || i END} END AS struct,
    NULL::INTEGER AS nothing
  FROM range(5000) t(i)`;

async function expectSameAsDuck(file: string, columns?: string[]): Promise<void> {
  const expected = await withDuck((duck) => duckRows(duck, `SELECT * FROM '${file}'`));
  const rows = await readParquet(file, { batchRows: 777 }).takeAll();
  expect(rows.length).toBe(expected.length);
  for (const name of columns ?? Object.keys(expected[0] ?? {})) {
    expect(
      rows.map((row) => plain(row[name])),
      name,
    ).toEqual(expected.map((row) => plain(row[name])));
  }
}

/** Both sides reduced to numbers, strings, booleans and null. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Date) return value.getTime();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  }
  return value;
}

describe('reading Parquet', () => {
  // Brotli takes seconds to write more rows.
  for (const codec of ['uncompressed', 'snappy', 'gzip', 'zstd', 'lz4_raw', 'brotli']) {
    it(`gives every type as DuckDB wrote it with ${codec}`, async () => {
      const file = path(`${codec}.parquet`);
      await withDuck((duck) =>
        duck.run(
          `COPY (${everyType} LIMIT ${codec === 'brotli' ? 500 : 5000}) TO '${file}' (FORMAT parquet, CODEC '${codec}', ROW_GROUP_SIZE 2048)`,
        ),
      );
      await expectSameAsDuck(file);
    });
  }

  it('gives the same for the encodings of version 2: delta, delta length, delta byte array, byte stream split', async () => {
    const file = path('v2.parquet');
    await withDuck((duck) =>
      duck.run(
        `COPY (${everyType}) TO '${file}' (FORMAT parquet, PARQUET_VERSION V2, DICTIONARY_SIZE_LIMIT 1, ROW_GROUP_SIZE 2048)`,
      ),
    );
    const encodings = await withDuck((duck) =>
      duckRows(
        duck,
        `SELECT DISTINCT unnest(string_split(encodings, ', ')) AS e FROM parquet_metadata('${file}')`,
      ),
    );
    expect(encodings.map(({ e }) => e)).toEqual(
      expect.arrayContaining(['DELTA_BINARY_PACKED', 'DELTA_LENGTH_BYTE_ARRAY']),
    );
    await expectSameAsDuck(file);
  });

  it('streams the flights with the sums that DuckDB computes', async () => {
    const [expected] = await withDuck((duck) =>
      duckRows(
        duck,
        `SELECT sum(delay)::DOUBLE AS delay, sum(distance)::DOUBLE AS distance, sum(epoch_ms(date) / 60000 - 16305120)::DOUBLE AS date,
         count(*) FILTER (origin = 'ORD')::DOUBLE AS ord FROM '${flightsParquet}'`,
      ),
    );
    const sums = { delay: 0, distance: 0, date: 0, ord: 0 };
    let rows = 0;
    for await (const batch of readParquet(flightsParquet).streamColumns([
      'date',
      'delay',
      'distance',
      'origin',
    ])) {
      expect(batch.firstRow).toBe(rows);
      rows += batch.rows;
      for (const column of batch.columns) {
        if (column.kind === 'categorical') {
          const ord = column.dictionary.indexOf('ORD');
          sums.ord += column.codes.reduce((total, code) => total + (code === ord ? 1 : 0), 0);
        } else {
          // In minutes since the year began, so that the sum stays exact.
          const isTime = column.meaning === 'time';
          sums[column.name as 'delay'] += Array.from(column.values).reduce(
            (total, value) => total + (isTime ? value / 60_000 - 16_305_120 : value),
            0,
          );
        }
      }
    }
    expect(rows).toBe(3_000_000);
    expect(sums).toEqual(expected);
  });
});
