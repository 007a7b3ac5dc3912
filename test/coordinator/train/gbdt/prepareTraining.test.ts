import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  prepareTraining,
  type PreparedTraining,
} from '../../../../coordinator/train/gbdt/prepareTraining.ts';
import type { BlobSink } from '../../../../coordinator/core/blobs/blobStore.ts';
import { shardRows } from '../../../../coordinator/train/gbdt/writeShards.ts';
import { datasetSummaries } from '../../../../shared/api/datasetAnswers.ts';
import { buildCuts } from '../../../../shared/gbdt/cuts.ts';
import { resolveParams } from '../../../../shared/gbdt/params.ts';
import { QuantileSketch } from '../../../../shared/gbdt/quantileSketch.ts';
import { decodeShard } from '../../../../shared/gbdt/shardCodec.ts';
import { memoryBlobs, type MemoryBlobs } from '../memoryBlobs.ts';
import { tableData, type TableColumn, type TableOptions } from '../tableData.ts';

let tempFolder = '';
beforeAll(() => void (tempFolder = mkdtempSync(path.join(tmpdir(), 'tabgrad-prepare-'))));
afterAll(() => rmSync(tempFolder, { recursive: true }));

const logistic = { objective: 'binary:logistic' };

interface Options {
  readonly table?: TableOptions;
  readonly valid?: Readonly<Record<string, TableColumn>>;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly weightColumn?: string;
  readonly featureColumns?: readonly string[];
  readonly blobs?: BlobSink;
  readonly signal?: AbortSignal;
}

async function prepare(
  train: Readonly<Record<string, TableColumn>>,
  { table, valid, params = logistic, blobs = memoryBlobs(), ...rest }: Options = {},
): Promise<PreparedTraining & { blobs: MemoryBlobs }> {
  const prepared = await prepareTraining({
    datasets: { train: tableData(train, table), ...(valid && { valid: tableData(valid, table) }) },
    labelColumn: 'y',
    params: resolveParams(params),
    numBoostRound: 3,
    blobs,
    tempFolder,
    ...rest,
  });
  return { ...prepared, blobs: blobs as MemoryBlobs };
}

/** All shards of a dataset put together again. */
function rowsOf({ shards, blobs, features }: PreparedTraining & { blobs: MemoryBlobs }, dataset = 'train') {
  const blocks = shards
    .filter((shard) => shard.dataset === dataset)
    .map(({ sha256 }) => decodeShard(blobs.get(sha256)));
  let next = 0;
  for (const block of blocks) {
    expect(block.firstRow).toBe(next);
    next += block.rows;
  }
  return {
    bins: features.map((_, feature) => blocks.flatMap((block) => [...block.bins[feature]!])),
    labels: blocks.flatMap((block) => [...block.labels]),
    weights: blocks.flatMap((block) => [...(block.weights ?? [])]),
  };
}

/** The first rows of the real diamonds, every seventh depth and ninth cut left out. */
function diamonds(rows: number): Record<string, TableColumn> {
  const file = path.resolve(
    import.meta.dirname,
    '../../../../node_modules/@observablehq/sample-datasets/diamonds.csv',
  );
  const [header, ...lines] = readFileSync(file, 'utf8').split('\n');
  const names = header!.split(',');
  const cells = lines.slice(0, rows).map((line) => line.split(','));
  const column = (name: string): string[] => cells.map((row) => row[names.indexOf(name)]!);
  return {
    carat: column('carat').map(Number),
    depth: column('depth').map((text, row) => (row % 7 === 0 ? null : Number(text))),
    cut: column('cut').map((text, row) => (row % 9 === 0 ? null : text)),
    color: column('color'),
    y: column('price').map((price) => Number(Number(price) > 2000)),
    w: column('table').map((text) => Number(text) / 50),
  };
}

describe('prepareTraining', () => {
  it('gives the same shards whatever batches and dictionaries the rows come in', async () => {
    const table = diamonds(3000);
    const hashes = async (options: TableOptions): Promise<string[]> =>
      (await prepare(table, { table: options })).shards.map(({ sha256 }) => sha256);
    const expected = await hashes({ batchRows: 3000 });
    expect(expected).toHaveLength(24);
    expect(await hashes({ batchRows: 1 })).toEqual(expected);
    expect(await hashes({ batchRows: 257, reverseDictionaries: true })).toEqual(expected);
    expect(await hashes({ batchRows: 1024 })).toEqual(expected);
  });

  it('equals a naive preparation of real rows, number by number', async () => {
    const table = diamonds(3000);
    const prepared = await prepare(table, {
      weightColumn: 'w',
      params: { ...logistic, scale_pos_weight: 2, max_bin: 32 },
    });
    const { bins, labels, weights } = rowsOf(prepared);
    const w = table['w'] as number[];
    const y = table['y'] as number[];
    const binCounts: number[] = [];
    for (const [feature, name] of ['carat', 'depth'].entries()) {
      const values = (table[name] as (number | null)[]).map((value) => value ?? NaN);
      const sketch = new QuantileSketch();
      sketch.push(Float32Array.from(values), Float32Array.from(w));
      const { cuts } = buildCuts(sketch.summary(), 32);
      binCounts.push(cuts.length);
      const expected = values.map((value) =>
        Number.isNaN(value)
          ? 255
          : Math.min(cuts.length - 1, cuts.filter((cut) => cut <= Math.fround(value)).length),
      );
      expect(bins[feature]).toEqual(expected);
    }
    const categories = ['Fair', 'Good', 'Ideal', 'Premium', 'Very Good'];
    expect(prepared.features[2]!.categories).toEqual(categories);
    expect(bins[2]).toEqual(
      (table['cut'] as (string | null)[]).map((cut) => (cut === null ? 255 : categories.indexOf(cut))),
    );
    expect(labels).toEqual(y);
    expect(weights).toEqual(w.map((weight) => Math.fround(weight)));
    const effective = weights.map((weight, row) => weight * (y[row] === 1 ? 2 : 1));
    expect(prepared.target.maxWeight).toBe(Math.max(...effective));
    expect(prepared.spec.features.map(({ bins: count }) => count)).toEqual([...binCounts, 5, 7]);
    expect(prepared.spec.evaluationSets).toEqual(['train']);
  });

  it('bins evaluation sets with the cuts and categories of the training set', async () => {
    const prepared = await prepare(
      { x: [1, 2, 3, 4], c: ['b', 'a', 'b', 'a'], y: [0, 1, 0, 1] },
      { valid: { c: ['a', 'unseen', null], extra: [1, 2, 3], x: [-5, 2.5, 99], y: [1, 0, 1] } },
    );
    const { bins, labels } = rowsOf(prepared, 'valid');
    expect(bins).toEqual([
      [0, 1, 3],
      [0, 255, 255],
    ]);
    expect(labels).toEqual([1, 0, 1]);
    expect(prepared.spec.evaluationSets).toEqual(['train', 'valid']);
    expect(prepared.rows).toEqual({ train: 4, valid: 3 });
  });

  it('does not let an evaluation set change the training set', async () => {
    const table = { x: [1, 2, 3, 4], y: [10, -20, 30, 5] };
    const params = { objective: 'reg:squarederror' };
    const alone = await prepare(table, { params });
    const beside = await prepare(table, { params, valid: { x: [100], y: [31] } });
    expect(beside.spec.device).toEqual(alone.spec.device);
    expect(beside.shards[0]).toEqual(alone.shards[0]);
  });

  it('takes the scales from training rows that have a weight', async () => {
    const params = { objective: 'reg:squarederror' };
    const usual = { x: [1, 2, 3, 4], y: [10, -20, 30, 5], w: [1, 0.5, 1, 2] };
    const odd = { x: [1, 9, 2, 3, 4], y: [10, 1e9, -20, 30, 5], w: [1, 0, 0.5, 1, 2] };
    const valid = { x: [1, 2], y: [1e30, -3], w: [1e9, 1] };
    const alone = await prepare(usual, { params, weightColumn: 'w' });
    const beside = await prepare(odd, { params, weightColumn: 'w', valid });
    expect({ ...beside.spec, trainRows: 4, evaluationSets: ['train'] }).toEqual(alone.spec);
    expect(beside.features).toEqual(alone.features);
    expect(beside.warnings).toEqual([]);
    expect(rowsOf(beside, 'valid')).toMatchObject({ labels: [Math.fround(1e30), -3], weights: [1e9, 1] });
  });

  it('refuses training rows without any weight', async () => {
    const data = { x: [1, 2], y: [0, 1], w: [0, 0] };
    await expect(prepare(data, { weightColumn: 'w' })).rejects.toThrow(
      /Weight column "w" is 0 in all rows of dataset "train"/,
    );
  });

  it('takes two limbs where one can not hold labels or weights apart, and warns where two can not', async () => {
    const x = Array.from({ length: 100 }, (_, row) => row);
    const regression = { params: { objective: 'reg:squarederror' } };
    const labels = await prepare({ x, y: x.map((row) => (row === 50 ? 1e9 : row / 100)) }, regression);
    expect(labels).toMatchObject({ warnings: [], spec: { device: { isWide: true } } });
    const far = await prepare({ x, y: x.map((row) => (row === 50 ? 1e20 : row / 100)) }, regression);
    expect(far.warnings).toEqual([
      expect.stringMatching(/Labels of "y" reach 100000002004087730000 and are held in steps/),
    ]);
    const y2 = x.map((row) => (row === 50 ? 1e9 : row / 100));
    const twice = await prepare(
      { x, y: y2, w: x.map((row) => (row < 3 ? 1e9 : 1)) },
      { ...regression, weightColumn: 'w' },
    );
    expect(twice.warnings).toEqual([
      expect.stringMatching(/learned badly or not at all where they are of light rows/),
    ]);
    const offset = await prepare({ x, y: x.map((row) => 1e7 + row) }, regression);
    expect(offset.warnings).toEqual([]);
    expect(offset.spec.device.isWide).toBeUndefined();
    const y = x.map((row) => row % 2);
    const weights = await prepare({ x, y, w: x.map((row) => (row < 3 ? 1e9 : 1)) }, { weightColumn: 'w' });
    expect(weights).toMatchObject({ warnings: [], spec: { device: { isWide: true } } });
    const heavy = await prepare({ x, y, w: x.map((row) => (row < 3 ? 1e15 : 1)) }, { weightColumn: 'w' });
    expect(heavy.warnings).toEqual([expect.stringMatching(/Weights by "w" reach from 1 to .* 97 rows/)]);
    const positives = await prepare({ x, y }, { params: { ...logistic, scale_pos_weight: 1e9 } });
    expect(positives).toMatchObject({ warnings: [], spec: { device: { isWide: true } } });
    const even = await prepare({ x, y, w: x.map((row) => 1 + row * 100) }, { weightColumn: 'w' });
    expect(even.warnings).toEqual([]);
    expect(even.spec.device.isWide).toBeUndefined();
  });

  it.each([1, 63, 64, 65, 257, 65_536, 65_537, 2_100_000])('shares %i rows out in even shards', (rows) => {
    const size = shardRows(rows);
    expect(size).toBe(2 ** Math.log2(size));
    expect(65_536 % size).toBe(0);
    if (rows >= 1024) expect(Math.ceil(rows / size)).toBeGreaterThanOrEqual(16);
  });

  it('spans several blocks without losing or repeating a row', async () => {
    const rows = 65_536 + 300;
    const y = Array.from({ length: rows }, (_, row) => row % 2);
    const x = Array.from({ length: rows }, (_, row) => row % 200);
    const prepared = await prepare({ x, y }, { table: { batchRows: 50_000 } });
    const { bins, labels } = rowsOf(prepared);
    expect(labels).toEqual(y);
    expect(bins[0]).toEqual(x);
  });

  it('prepares a wide table as it would its columns alone, in little memory', async () => {
    const columns = 3000;
    const rows = 70;
    const random = (row: number, column: number): number => Math.imul(row + 1, 2 * column + 7919) % 1009;
    const column = (index: number): TableColumn =>
      index % 500 === 7
        ? Array.from({ length: rows }, (_, row) => `k${row % 3}`)
        : Array.from({ length: rows }, (_, row) => random(row, index));
    const y = Array.from({ length: rows }, (_, row) => row % 2);
    const w = Array.from({ length: rows }, (_, row) => row % 4);
    const wide = Object.fromEntries(
      Array.from({ length: columns }, (_, index) => [`c${index}`, column(index)]),
    );
    const before = process.memoryUsage().arrayBuffers;
    const whole = await prepare({ ...wide, y, w }, { weightColumn: 'w' });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 2 ** 20);
    const { bins } = rowsOf(whole);
    for (const index of [0, 7, 127, 128, 1507, 2999]) {
      const alone = await prepare({ c0: column(index), y, w }, { weightColumn: 'w' });
      expect(bins[index]).toEqual(rowsOf(alone).bins[0]);
    }
  });

  it('refuses infinite values, naming column and row', async () => {
    await expect(prepare({ x: [1, 2, -Infinity], y: [0, 1, 0] })).rejects.toMatchObject({
      code: 'TRAIN_COLUMN_UNSUITABLE',
      place: { column: 'x', row: 2 },
    });
    await expect(prepare({ x: [1, 1e39], y: [0, 1] })).rejects.toThrow(/beyond the range of float32/);
  });

  it('leaves nothing in the temporary folder', async () => {
    await prepare({ x: [1, 2], y: [0, 1] });
    await expect(prepare({ x: [1, 2], y: [0, 2] })).rejects.toThrow();
    expect(readdirSync(tempFolder)).toEqual([]);
  });
});

describe('prepareTraining refuses', () => {
  const x = [1, 2, 3];

  it.each([
    [
      'a missing label',
      [0, 1, null],
      'label column "y", row 2 of dataset "train": the label is missing; expected 0 or 1',
    ],
    [
      'a label that is not a number',
      [0, NaN, 1],
      'label column "y", row 1 of dataset "train": NaN is not valid for binary:logistic',
    ],
    [
      'a label out of range',
      [0, 1, 2],
      'label column "y", row 2 of dataset "train": 2 is not valid for binary:logistic, expected 0 or 1',
    ],
  ])('%s', async (_, y, message) => {
    await expect(prepare({ x, y })).rejects.toMatchObject({ code: 'LABEL_INVALID', place: { column: 'y' } });
    await expect(prepare({ x, y })).rejects.toThrow(new RegExp(message, 'i'));
  });

  it('a class that num_class does not have, in the evaluation set too', async () => {
    const params = { objective: 'multi:softprob', num_class: 3 };
    await expect(prepare({ x, y: [0, 1, 2] }, { params, valid: { x, y: [0, 3, 1] } })).rejects.toMatchObject({
      code: 'LABEL_INVALID',
      place: { row: 1 },
    });
  });

  it.each([
    ['missing', [1, null, 1]],
    ['negative', [1, -1, 1]],
    ['infinite', [1, Infinity, 1]],
  ])('a weight that is %s', async (_, w) => {
    await expect(prepare({ x, y: [0, 1, 0], w }, { weightColumn: 'w' })).rejects.toMatchObject({
      code: 'WEIGHT_INVALID',
      place: { column: 'w', row: 1 },
    });
  });

  it('a column that is not there, naming the nearest one', async () => {
    await expect(prepare({ x, Y: [0, 1, 0] })).rejects.toMatchObject({ code: 'DATA_COLUMN_UNKNOWN' });
    await expect(prepare({ speed: x, y: [0, 1, 0] }, { featureColumns: ['sped'] })).rejects.toThrow(
      /did you mean "speed"/,
    );
    await expect(prepare({ x, y: [0, 1, 0] }, { valid: { z: x, y: [0, 1, 0] } })).rejects.toThrow(
      /No column "x" in dataset "valid"/,
    );
  });

  it('the label among the features', async () => {
    await expect(prepare({ x, y: [0, 1, 0] }, { featureColumns: ['x', 'y'] })).rejects.toThrow(
      'Column "y" is the label and can not be a feature too',
    );
  });

  it('columns that are named twice, and tables without features', async () => {
    await expect(prepare({ x, y: [0, 1, 0] }, { featureColumns: ['x', 'x'] })).rejects.toMatchObject({
      code: 'TRAIN_ARGUMENT',
    });
    await expect(prepare({ y: [0, 1, 0] })).rejects.toThrow(/no feature columns/);
  });

  it('datasets without rows', async () => {
    await expect(prepare({ x: [], y: [] })).rejects.toMatchObject({ code: 'TRAIN_NO_ROWS' });
    await expect(prepare({ x, y: [0, 1, 0] }, { valid: { x: [], y: [] } })).rejects.toThrow(
      /Dataset "valid" has no rows/,
    );
  });

  it('strings as labels, and strings where the training set has numbers', async () => {
    await expect(prepare({ x, y: ['yes', 'no', 'yes'] })).rejects.toThrow(
      /label column "y" of dataset "train" holds strings; expected numbers. Map classes/,
    );
    await expect(
      prepare({ x, y: [0, 1, 0] }, { valid: { x: ['1', '2', '3'], y: [0, 1, 0] } }),
    ).rejects.toMatchObject({
      code: 'TRAIN_COLUMN_UNSUITABLE',
      place: { column: 'x' },
    });
  });

  it('nothing about batches in which a column of strings has no value', async () => {
    const c = [null, null, 'b', 'a'];
    const { features } = await prepare({ x: [1, 2, 3, 4], c, y: [0, 1, 0, 1] }, { table: { batchRows: 2 } });
    expect(features[1]!.categories).toEqual(['a', 'b']);
  });

  it('times as features, with advice', async () => {
    await expect(prepare({ x, when: x, y: [0, 1, 0] }, { table: { times: ['when'] } })).rejects.toThrow(
      /"when" holds dates or times.*derive hour, weekday/,
    );
  });

  it('more categories than bins, naming column and count', async () => {
    const c = Array.from({ length: 300 }, (_, row) => `c${row}`);
    const y = c.map((_, row) => row % 2);
    await expect(prepare({ c, y })).rejects.toThrow(/"c" has 300 categories; expected at most 255/);
    const fits = await prepare({ c: c.slice(0, 255), y: y.slice(0, 255) });
    expect(fits.features[0]!.categories).toHaveLength(255);
  });

  it('nothing about columns of one value or none, but warns', async () => {
    const { warnings, spec } = await prepare({ same: [7, 7, 7], none: [null, null, null], x, y: [0, 1, 0] });
    expect(warnings).toEqual([
      expect.stringContaining('"same" has one value'),
      expect.stringContaining('"none" has no values'),
    ]);
    expect(spec.features.map(({ bins }) => bins)).toEqual([1, 1, 3]);
  });

  it('to go on when called off', async () => {
    await expect(prepare({ x, y: [0, 1, 0] }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });

  it('to hide that the blob store failed', async () => {
    const full: BlobSink = { putBytes: () => Promise.reject(new Error('no room')) };
    await expect(prepare({ x, y: [0, 1, 0] }, { blobs: full })).rejects.toThrow('no room');
    expect(readdirSync(tempFolder)).toEqual([]);
  });
});

describe('What is told of the rows', () => {
  const even = (rows: number, value: (row: number) => number | null): (number | null)[] =>
    Array.from({ length: rows }, (_, row) => value(row));

  it('has missing values, frequent categories, labels and the first row of each set', async () => {
    const table = {
      x: even(300, (row) => (row % 4 === 1 ? null : row)),
      color: Array.from({ length: 300 }, (_, row) => (row % 10 === 0 ? null : ['red', 'blue'][row % 2]!)),
      y: even(300, (row) => Number(row > 99)),
    };
    const valid = { x: [1, null, 5], color: ['blue', 'green', null], y: [1, 1, 0] };
    const { summaries } = await prepare(table, { valid });
    const [train, other] = summaries;
    expect(train).toMatchObject({ name: 'train', rows: 300, columnCount: 3 });
    const [x, color, y] = train!.columns;
    expect(x).toMatchObject({ name: 'x', role: 'feature', looked: 300, missing: 75, example: 0 });
    expect(x!.numbers).toMatchObject({ min: 0, max: 299 });
    expect(x!.numbers!.bins.reduce((sum, count) => sum + count, 0)).toBe(225);
    expect(color).toMatchObject({
      type: 'category',
      missing: 30,
      example: null,
      categories: {
        distinct: 2,
        top: [
          { name: 'blue', count: 150 },
          { name: 'red', count: 120 },
        ],
      },
    });
    expect(y).toMatchObject({
      role: 'label',
      type: 'class',
      categories: {
        top: [
          { name: '1', count: 200 },
          { name: '0', count: 100 },
        ],
      },
    });
    // A category that training has not seen counts as missing, as it does for the model.
    expect(other!.columns).toMatchObject([
      { looked: 3, missing: 1, numbers: { min: 1, max: 5, mean: 3 }, example: 1 },
      {
        looked: 3,
        missing: 2,
        categories: { distinct: 1, top: [{ name: 'blue', count: 1 }] },
        example: 'blue',
      },
      { categories: { distinct: 2 } },
    ]);
    expect(datasetSummaries.parse(summaries)).toEqual(summaries);
  });

  it('is of weights where rows have them, and of rows that weigh something', async () => {
    const table = {
      x: [1, 2, null, null, 5],
      w: [1, 2, 1, 0, 0],
      y: [0, 1, 0, 1, 1],
    };
    const { summaries } = await prepare(table, { weightColumn: 'w' });
    expect(summaries[0]).toMatchObject({ isWeighted: true, columnCount: 3 });
    expect(summaries[0]!.columns).toMatchObject([
      { name: 'x', looked: 3, missing: 1, numbers: { min: 1, max: 2, mean: 5 / 3 } },
      { name: 'y', role: 'label' },
      { name: 'w', role: 'weight', numbers: { min: 0, max: 2 } },
    ]);
  });

  it('has counts of every sixteenth row where there are many', async () => {
    const rows = 40_003;
    const table = {
      x: even(rows, (row) => (row % 2 === 0 ? null : row)),
      color: Array.from({ length: rows }, (_, row) => (row % 3 === 0 ? null : ['red', 'blue'][row % 2]!)),
      y: even(rows, (row) => Number(row >= 20_000)),
    };
    const { columns } = (await prepare(table)).summaries[0]!;
    expect(columns).toMatchObject([
      // As the sketch has it: of all rows.
      { looked: rows, missing: 20_002 },
      { looked: 2501, missing: 834, categories: { distinct: 1, top: [{ name: 'red', count: 1667 }] } },
      {
        looked: 2501,
        categories: {
          top: [
            { name: '1', count: 1251 },
            { name: '0', count: 1250 },
          ],
        },
      },
    ]);
  });

  it('does not depend on batches, and leaves out columns beyond the most', async () => {
    const wide = Object.fromEntries(
      Array.from({ length: 2100 }, (_, i) => [`f${i}`, even(70, (row) => (row * (i + 3)) % 17)]),
    );
    const table = { ...wide, y: even(70, (row) => row % 2) };
    const { summaries } = await prepare(table, { table: { batchRows: 13 } });
    expect(summaries).toEqual((await prepare(table)).summaries);
    expect(summaries[0]!.columnCount).toBe(2101);
    expect(summaries[0]!.columns.map(({ name }) => name).slice(-2)).toEqual(['f1997', 'y']);
    expect(summaries[0]!.columns[1997]).toMatchObject({
      looked: 70,
      missing: 0,
      numbers: { min: 0, max: 16 },
    });
  });
});
