import { writeFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readParquet } from '../../../coordinator/data/readParquet.ts';
import type { ReadParquetOptions } from '../../../coordinator/data/readOptions.ts';
import {
  CODEC,
  CONVERTED,
  ENCODING,
  element,
  handmadeParquet,
  int32s,
  levels,
  OPTIONAL,
  REPEATED,
  REQUIRED,
  run,
  strings,
  thrift,
  TYPE,
  varint,
  type Page,
  type Thrift,
} from './support/handmadeParquet.ts';
import { scratchFolder } from './support/scratch.ts';

const path = scratchFolder();
const MIB = 2 ** 20;

/** Reads the first batch. @returns how much more memory that took, at most, or the error. */
async function firstBatch(
  name: string,
  bytes: Uint8Array,
  options: ReadParquetOptions = {},
): Promise<unknown> {
  writeFileSync(path(name), bytes);
  const before = process.memoryUsage().rss;
  try {
    for await (const batch of readParquet(path(name), options).iterArrow()) {
      expect(batch.numRows).toBeGreaterThan(0);
      break;
    }
    return process.memoryUsage().rss - before;
  } catch (error) {
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
    return error;
  }
}

function file(
  column: Thrift,
  rows: number,
  type: number,
  pages: readonly Page[],
  codec: number = CODEC.none,
): Uint8Array {
  const chunk = { path: [column[4] as string], type, pages, codec, odd: { 2: [0, 8] } };
  return handmadeParquet([column], 1, rows, [chunk]);
}

const ROWS = 300_000_000;
const tooLarge = { code: 'DATA_TOO_LARGE', place: { column: 'x' } };

describe('a file of a few bytes', () => {
  it('is read in little memory when it stands for 300 million missing rows', async () => {
    const bytes = file(element('x', OPTIONAL, { 1: TYPE.int32 }), ROWS, TYPE.int32, [
      { entries: ROWS, body: levels(run(ROWS, 0)) },
    ]);
    expect(bytes.length).toBeLessThan(300);
    expect(await firstBatch('missing.parquet', bytes)).toBeLessThan(64 * MIB);
  });

  it('is read in little memory when 300 million rows have the same word', async () => {
    const bytes = file(element('x', REQUIRED, { 1: TYPE.bytes, 6: CONVERTED.utf8 }), ROWS, TYPE.bytes, [
      { entries: 1, body: strings('word'), isDictionary: true },
      { entries: ROWS, encoding: ENCODING.dictionary, body: [1, ...run(ROWS, 0)] },
    ]);
    expect(await firstBatch('same.parquet', bytes)).toBeLessThan(64 * MIB);
  });

  it('is refused when a page unpacks to 300 MiB, unless so much may be taken', async () => {
    const unpackedBytes = 300 * MIB;
    const body = gzipSync(new Uint8Array(unpackedBytes), { level: 1 });
    const rows = unpackedBytes / 4;
    const pages = [{ entries: rows, body: new Uint8Array(body), unpackedBytes }];
    const bytes = file(element('x', REQUIRED, { 1: TYPE.int32 }), rows, TYPE.int32, pages, CODEC.gzip);
    // The file is of some MiB, so that in proportion it may take more.
    expect(await firstBatch('page.parquet', bytes, { memoryLimitBytes: 256 * MIB })).toMatchObject(tooLarge);
    expect(await firstBatch('page.parquet', bytes, { memoryLimitBytes: 301 * MIB })).toBeLessThan(400 * MIB);
  });

  it('is refused when its pages together unpack to more than is in proportion', async () => {
    const unpackedBytes = 128 * MIB;
    const body = brotliCompressSync(new Uint8Array(unpackedBytes), {
      params: { [constants.BROTLI_PARAM_QUALITY]: 4 },
    });
    const rows = unpackedBytes / 4;
    const names = ['a', 'b', 'x'];
    const bytes = handmadeParquet(
      names.map((name) => element(name, REQUIRED, { 1: TYPE.int32 })),
      3,
      rows,
      names.map((name) => ({
        path: [name],
        type: TYPE.int32,
        codec: CODEC.brotli,
        pages: [{ entries: rows, body: new Uint8Array(body), unpackedBytes }],
      })),
    );
    expect(bytes.length).toBeLessThan(10_000);
    writeFileSync(path('pages.parquet'), bytes);
    await expect(readParquet(path('pages.parquet')).take(1)).rejects.toMatchObject(tooLarge);
    expect(await readParquet(path('pages.parquet'), { columns: ['a', 'x'] }).take(1)).toEqual([
      { a: 0, x: 0 },
    ]);
  });

  it('is refused when one row has 300 million elements', async () => {
    const bytes = handmadeParquet(
      [element('x', REQUIRED, { 5: 1 }), element('r', REPEATED, { 1: TYPE.int32 })],
      1,
      1,
      [
        {
          path: ['x', 'r'],
          type: TYPE.int32,
          pages: [{ entries: ROWS, body: [...levels(run(1, 0), run(ROWS - 1, 1)), ...levels(run(ROWS, 0))] }],
        },
      ],
    );
    expect(await firstBatch('elements.parquet', bytes)).toMatchObject(tooLarge);
  });

  it('is refused when its deltas take no bits', async () => {
    const block = 2 ** 28;
    const body = [...varint(block), ...varint(1), ...varint(ROWS), 0, 0, 0, 0, 0];
    const bytes = file(element('x', REQUIRED, { 1: TYPE.int32 }), ROWS, TYPE.int32, [
      { entries: ROWS, encoding: ENCODING.delta, body },
    ]);
    expect(await firstBatch('deltas.parquet', bytes)).toMatchObject(tooLarge);
  });

  it('is refused when a batch repeats a long text', async () => {
    const bytes = file(element('x', REQUIRED, { 1: TYPE.bytes }), 65_536, TYPE.bytes, [
      { entries: 1, body: strings('x'.repeat(100_000)), isDictionary: true },
      { entries: 65_536, encoding: ENCODING.dictionary, body: [1, ...run(65_536, 0)] },
    ]);
    expect(await firstBatch('texts.parquet', bytes)).toMatchObject(tooLarge);
    expect(await firstBatch('texts.parquet', bytes, { batchRows: 100 })).toBeLessThan(64 * MIB);
  });

  it('is refused when its metadata claims lists of what is not there', async () => {
    const bytes = file(element('x', REQUIRED, { 1: TYPE.int32 }), 1, TYPE.int32, [
      { entries: 1, body: int32s(1) },
    ]);
    // The list of schema elements, said to have half a milliard.
    const footer = [0x05, 0x02, 0x02, 0x09, 0x04, 0xfc, ...varint(500_000_000), ...thrift({ 4: 'root' })];
    const claimed = Uint8Array.from([
      ...bytes.slice(0, 50),
      ...footer,
      ...int32s(footer.length),
      ...bytes.slice(-4),
    ]);
    expect(await firstBatch('claims.parquet', claimed)).toMatchObject({ code: 'DATA_FILE_CORRUPT' });
  });
});

describe('a table of many columns', () => {
  it('comes in smaller batches', async () => {
    const columns = 3000;
    const rows = 65_536;
    const names = Array.from({ length: columns }, (_, i) => `c${i}`);
    const bytes = handmadeParquet(
      names.map((name) => element(name, OPTIONAL, { 1: TYPE.int64 })),
      columns,
      rows,
      names.map((name) => ({
        path: [name],
        type: TYPE.int64,
        pages: [{ entries: rows, body: levels(run(rows, 0)) }],
      })),
    );
    expect(await firstBatch('wide.parquet', bytes)).toBeLessThan(400 * MIB);
  });
});
