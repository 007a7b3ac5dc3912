// Parquet to column batches, and on to the shards that workers train on: rows per second against hyparquet's own reader
// and DuckDB, which only read, on the same file in one run. With --big: preparing 30 million rows (the file ten times
// over) and the peak of resident memory, in a process of its own. With --groups-only: groupBy of 12 million groups, which
// do not fit in the memory that it may take.

import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import * as arrow from 'apache-arrow';
import { asyncBufferFromFile, parquetRead, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { FolderBlobStore } from '../../coordinator/core/blobs/folderBlobStore.ts';
import { fromArrow } from '../../coordinator/data/fromMemory.ts';
import { readParquet } from '../../coordinator/data/readParquet.ts';
import { prepareTraining } from '../../coordinator/train/gbdt/prepareTraining.ts';
import { resolveParams } from '../../shared/gbdt/params.ts';

const file = fileURLToPath(
  new URL('../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url),
);
const columns = ['date', 'delay', 'distance', 'origin', 'destination'];
const ROWS = 3_000_000;
const REPEATS = 3;

async function ours(paths: string | string[]): Promise<number> {
  let rows = 0;
  for await (const batch of readParquet(paths).streamColumns(columns)) rows += batch.rows;
  return rows;
}

/** Reading, checking, sketching, binning and writing shards to a blob store on disk: all that comes before training. */
async function shards(paths: string | string[]): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'tabgrad-bench-data-'));
  try {
    const prepared = await prepareTraining({
      datasets: { train: readParquet(paths) },
      labelColumn: 'delay',
      featureColumns: ['distance', 'origin', 'destination'],
      params: resolveParams({ objective: 'reg:squarederror' }),
      numBoostRound: 1,
      blobs: await FolderBlobStore.open(join(folder, 'blobs')),
      tempFolder: folder,
    });
    return prepared.shards.reduce((rows, shard) => rows + shard.rows, 0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function hyparquetObjects(): Promise<number> {
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(file), compressors });
  return rows.length;
}

async function hyparquetColumns(): Promise<number> {
  let rows = 0;
  await parquetRead({
    file: await asyncBufferFromFile(file),
    compressors,
    onChunk: ({ columnName, rowStart, rowEnd }) => {
      if (columnName === 'delay') rows += rowEnd - rowStart;
    },
  });
  return rows;
}

async function duckColumns(threads: number): Promise<number> {
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) });
  const connection = await instance.connect();
  const result = await connection.stream(`SELECT ${columns.join(', ')} FROM '${file}'`);
  let rows = 0;
  for (
    let chunk = await result.fetchChunk();
    chunk !== null && chunk.rowCount > 0;
    chunk = await result.fetchChunk()
  ) {
    for (let c = 0; c < chunk.columnCount; c++) chunk.getColumnValues(c);
    rows += chunk.rowCount;
  }
  connection.closeSync();
  instance.closeSync();
  return rows;
}

async function duckInside(threads: number): Promise<number> {
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) });
  const connection = await instance.connect();
  const sql = `SELECT count(*)::INTEGER, max(date), sum(delay), sum(distance), max(origin), max(destination) FROM '${file}'`;
  const result = await connection.runAndReadAll(sql);
  connection.closeSync();
  instance.closeSync();
  return Number(result.getRows()[0]?.[0]);
}

/** Best of a few, in seconds: other processes only ever add time. */
async function time(action: () => Promise<number>, repeats = REPEATS): Promise<number> {
  let best = Infinity;
  for (let i = 0; i < repeats; i++) {
    const started = performance.now();
    const rows = await action();
    best = Math.min(best, (performance.now() - started) / 1000);
    if (rows !== ROWS) throw new Error(`${rows} rows were read, not ${ROWS}`);
  }
  return best;
}

async function compare(): Promise<void> {
  const [cpu] = cpus();
  console.log(
    `${cpu?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}`,
  );
  console.log(
    `${ROWS.toLocaleString('en')} rows x ${columns.length} columns, Zstandard, ${(statSync(file).size / 1e6).toFixed(1)} MB`,
  );
  const own = await time(() => ours(file));
  const others: [name: string, seconds: number][] = [
    ['tabgrad, typed columns', own],
    ['tabgrad, all the way to shards on disk', await time(() => shards(file), 2)],
    ['hyparquet parquetRead, columns', await time(hyparquetColumns, 2)],
    ['hyparquet parquetReadObjects', await time(hyparquetObjects, 1)],
    ['DuckDB, 1 thread, JavaScript columns', await time(() => duckColumns(1), 1)],
    ['DuckDB, 1 thread, aggregated inside', await time(() => duckInside(1))],
  ];
  console.log(
    `${''.padEnd(40)}${'seconds'.padStart(9)}${'M rows/s'.padStart(10)}${'tabgrad is'.padStart(12)}`,
  );
  for (const [name, seconds] of others) {
    const rate = (ROWS / seconds / 1e6).toFixed(2);
    const ratio = `${(seconds / own).toFixed(2)}x`;
    console.log(
      `${name.padEnd(40)}${seconds.toFixed(2).padStart(9)}${rate.padStart(10)}${ratio.padStart(12)}`,
    );
  }
}

async function big(): Promise<void> {
  const started = performance.now();
  const rows = await shards(Array.from({ length: 10 }, () => file));
  const seconds = (performance.now() - started) / 1000;
  const peakMb = process.resourceUsage().maxRSS / 1000;
  console.log(
    `${rows.toLocaleString('en')} rows to shards in ${seconds.toFixed(1)} s (${(rows / seconds / 1e6).toFixed(2)} M rows/s), peak resident ${peakMb.toFixed(0)} MB`,
  );
}

const GROUPS = 12_000_000;
const GROUP_BATCH_ROWS = 100_000;

/** A count and a sum of each of as many groups as there are rows; keys come in no order. */
async function groups(): Promise<void> {
  const batches = Array.from({ length: GROUPS / GROUP_BATCH_ROWS }, (_, batch) => {
    const first = batch * GROUP_BATCH_ROWS;
    // 7,368,787 and 12 million have no factor in common: each key comes once.
    const id = Float64Array.from({ length: GROUP_BATCH_ROWS }, (__, i) => ((first + i) * 7_368_787) % GROUPS);
    const table = new arrow.Table({
      id: arrow.makeVector(id),
      value: arrow.makeVector(id.map((key) => key / 4)),
    });
    return table.batches[0]!;
  });
  const started = performance.now();
  const before = process.memoryUsage().rss;
  let rows = 0;
  let sum = 0;
  const grouped = fromArrow(batches)
    .groupBy('id')
    .aggregate([
      { kind: 'count', column: undefined },
      { kind: 'sum', column: 'value' },
    ]);
  for await (const batch of grouped.iterArrow()) {
    rows += batch.numRows;
    const column = batch.getChild('sum(value)')!;
    for (let row = 0; row < batch.numRows; row++) sum += Number(column.get(row));
  }
  const seconds = (performance.now() - started) / 1000;
  const expected = ((GROUPS / 4) * (GROUPS - 1)) / 2;
  if (rows !== GROUPS || sum !== expected)
    throw new Error(`${rows} groups with the sum ${sum}, not ${expected}`);
  const { user, system } = process.cpuUsage();
  const peakMb = process.resourceUsage().maxRSS / 1000;
  console.log(
    `${rows.toLocaleString('en')} groups in ${seconds.toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} s of processor; ` +
      `peak resident ${peakMb.toFixed(0)} MB, of which ${(before / 1e6).toFixed(0)} MB with the rows before it began`,
  );
}

if (process.argv.includes('--big-only')) {
  await big();
} else if (process.argv.includes('--groups-only')) {
  await groups();
} else {
  await compare();
  if (process.argv.includes('--big')) {
    const self = fileURLToPath(import.meta.url);
    spawnSync(process.execPath, ['--import', 'tsx', self, '--big-only'], {
      stdio: 'inherit',
      timeout: 300_000,
    });
  }
}
