import { writeFileSync } from 'node:fs';
import * as arrow from 'apache-arrow';
import {
  Compression,
  Encoding,
  Table,
  type WriterProperties,
  WriterPropertiesBuilder,
  WriterVersion,
  writeParquet,
} from 'parquet-wasm';
import { describe, expect, it } from 'vitest';
import { readParquet } from '../../../coordinator/data/readParquet.ts';
import { flightsParquet, scratchFolder } from './support/scratch.ts';

const path = scratchFolder();

// The writer of Arrow's Rust library, which can be told how to lay out pages.
const ROWS = 9000;
const list = Array.from({ length: ROWS }, (_, i) => i);
const expected = {
  // Repeats at first, then all different: a dictionary that is given up half-way.
  word: list.map((i) => (i % 13 === 0 ? null : i < 3000 ? `w${i % 10}` : `word number ${i}`)),
  big: list.map((i) => (i % 17 === 0 ? null : BigInt(i < 3000 ? i % 7 : i * 1_000_003) - 5_000_000_000n)),
  small: list.map((i) => (i * 31) % 400),
  real: list.map((i) => (i % 5 === 0 ? null : Math.sin(i))),
  single: list.map((i) => Math.fround(i / 3)),
  flag: list.map((i) => (i % 19 === 0 ? null : i % 3 === 0)),
};

function write(name: string, build: (builder: WriterPropertiesBuilder) => WriterPropertiesBuilder): string {
  const table = new arrow.Table({
    word: arrow.vectorFromArray(expected.word, new arrow.Utf8()),
    big: arrow.vectorFromArray(expected.big, new arrow.Int64()),
    small: arrow.vectorFromArray(expected.small, new arrow.Int32()),
    real: arrow.vectorFromArray(expected.real, new arrow.Float64()),
    single: arrow.vectorFromArray(expected.single, new arrow.Float32()),
    flag: arrow.vectorFromArray(expected.flag, new arrow.Bool()),
  });
  const properties: WriterProperties = build(
    new WriterPropertiesBuilder().setDataPageSizeLimit(1500).setWriteBatchSize(100).setMaxRowGroupSize(4001),
  ).build();
  const wasm = Table.fromIPCStream(arrow.tableToIPC(table, 'stream'));
  writeFileSync(path(name), writeParquet(wasm, properties));
  return path(name);
}

async function expectAll(file: string): Promise<void> {
  const rows = await readParquet(file, { batchRows: 701 }).takeAll();
  for (const [name, values] of Object.entries(expected)) {
    const wanted = values.map((value) => (typeof value === 'bigint' ? Number(value) : value));
    expect(
      rows.map((row) => row[name]),
      name,
    ).toEqual(wanted);
  }
}

describe('pages of every layout', () => {
  for (const [version, name] of [
    [WriterVersion.V1, 'one'],
    [WriterVersion.V2, 'two'],
  ] as const) {
    it(`are read when many and small, with dictionaries given up half-way (pages of version ${name})`, async () => {
      await expectAll(
        write(`fallback-${name}.parquet`, (builder) =>
          builder
            .setWriterVersion(version)
            .setDictionaryPageSizeLimit(600)
            .setCompression(Compression.SNAPPY),
        ),
      );
    });

    it(`are read without dictionaries in plain, delta and split encodings (pages of version ${name})`, async () => {
      await expectAll(
        write(`encoded-${name}.parquet`, (builder) =>
          builder
            .setWriterVersion(version)
            .setDictionaryEnabled(false)
            .setCompression(Compression.ZSTD)
            .setColumnEncoding('word', Encoding.DELTA_BYTE_ARRAY)
            .setColumnEncoding('big', Encoding.DELTA_BINARY_PACKED)
            .setColumnEncoding('small', Encoding.DELTA_BINARY_PACKED)
            .setColumnEncoding('real', Encoding.BYTE_STREAM_SPLIT)
            .setColumnEncoding('single', Encoding.BYTE_STREAM_SPLIT)
            .setColumnEncoding('flag', Encoding.RLE),
        ),
      );
    });
  }

  it('keep a dictionary of strings the same across the batches of a row group', async () => {
    const dictionaries = new Set<readonly string[]>();
    for await (const { columns } of readParquet(flightsParquet, { batchRows: 30_000 })
      .limit(600_000)
      .streamColumns(['origin'])) {
      const [origin] = columns;
      if (origin?.kind === 'categorical') dictionaries.add(origin.dictionary);
    }
    expect(dictionaries.size).toBe(3);
  });
});

describe('thirty million rows', () => {
  it('are streamed in little memory', async () => {
    const files = Array.from({ length: 10 }, () => flightsParquet);
    let rows = 0;
    let peak = 0;
    const before = process.memoryUsage().rss;
    for await (const batch of readParquet(files).streamColumns(['delay', 'origin'])) {
      rows += batch.rows;
      peak = Math.max(peak, process.memoryUsage().rss - before);
    }
    expect(rows).toBe(30_000_000);
    expect(peak).toBeLessThan(400e6);
  });
});
