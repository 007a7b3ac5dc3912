import { describe, expect, it } from 'vitest';
import { exactAuc } from '../../../client/gbdt/exactAuc.ts';
import { soloCollective } from '../../../shared/collective/soloCollective.ts';
import { radixSort } from '../../../shared/gbdt/metric/radixSort.ts';
import { SUM_NUMBERS, addToMean, finishMean } from '../../../shared/gbdt/metric/exactSum.ts';
import type { MeanMetric, MetricBlock, MetricSetting } from '../../../shared/gbdt/metric/metric.ts';
import { decodeArea } from '../../../shared/gbdt/metric/rankArea.ts';
import { decodeRuns, encodeRuns, sortRuns, weightSpan } from '../../../shared/gbdt/metric/rankRuns.ts';
import { metricByName } from '../../../shared/gbdt/metric/registry.ts';
import { memoryGroup } from '../../client/gbdt/memoryGroup.ts';
import { seededRandom } from '../../setup/seededRandom.ts';

const BITS = 20;

function makeBlock(rows: number, seed: number, classes = 2, weighted = false): MetricBlock {
  const random = seededRandom(seed);
  const outputs = classes === 2 ? 1 : classes;
  return {
    rows,
    margins: Int32Array.from(
      { length: rows * outputs },
      () => Math.round((random() - 0.5) * 64) * 2 ** (BITS - 4),
    ),
    labels: Float32Array.from({ length: rows }, () => Math.floor(random() * classes)),
    weights: weighted
      ? Float32Array.from({ length: rows }, () => Math.floor(random() * 2 ** 24) / 2 ** 24)
      : undefined,
  };
}

function measure(name: string, blocks: readonly MetricBlock[], setting: Partial<MetricSetting> = {}): number {
  const metric = metricByName(name) as MeanMetric;
  const whole = { objective: 'binary:logistic', outputs: 1, marginFractionBits: BITS, ...setting } as const;
  const sums = new Float64Array(SUM_NUMBERS);
  const rowLoss = metric.rowLoss(whole);
  for (const block of blocks) addToMean({ rowLoss }, [block], sums, 0);
  const kernel = metric.kernel?.(whole);
  if (kernel) {
    const inWasm = new Float64Array(SUM_NUMBERS);
    for (const block of blocks) addToMean({ rowLoss, kernel }, [block], inWasm, 0);
    expect(inWasm).toEqual(sums);
  }
  return finishMean(metric, sums, 0);
}

/** The plain definition, in floats. */
function mean(block: MetricBlock, loss: (row: number) => number): number {
  let sum = 0;
  let total = 0;
  for (let row = 0; row < block.rows; row += 1) {
    const weight = block.weights?.[row] ?? 1;
    sum += weight * loss(row);
    total += weight;
  }
  return sum / total;
}

const margin = (block: MetricBlock, row: number, output = 0): number =>
  block.margins[output * block.rows + row]! / 2 ** BITS;

describe.each([false, true])('metrics of rows with weights: %s', (weighted) => {
  const block = makeBlock(2000, 1, 2, weighted);

  it('logloss and error agree with their definitions', () => {
    const logloss = mean(block, (row) =>
      Math.log1p(Math.exp(block.labels[row] === 1 ? -margin(block, row) : margin(block, row))),
    );
    expect(measure('logloss', [block])).toBeCloseTo(logloss, 8);
    const error = mean(block, (row) => (margin(block, row) > 0 === (block.labels[row] === 1) ? 0 : 1));
    expect(measure('error', [block])).toBeCloseTo(error, 9);
  });

  it('rmse and mae agree with their definitions', () => {
    const setting = { objective: 'reg:squarederror' } as const;
    const difference = (row: number): number => margin(block, row) - block.labels[row]!;
    expect(measure('rmse', [block], setting)).toBeCloseTo(
      Math.sqrt(mean(block, (row) => difference(row) ** 2)),
      9,
    );
    expect(measure('mae', [block], setting)).toBeCloseTo(
      mean(block, (row) => Math.abs(difference(row))),
      9,
    );
  });

  it('mlogloss and merror agree with their definitions', () => {
    const many = makeBlock(1000, 2, 5, weighted);
    const setting = { objective: 'multi:softprob', outputs: 5 } as const;
    const all = (row: number): number[] => [0, 1, 2, 3, 4].map((k) => margin(many, row, k));
    const mlogloss = mean(many, (row) => {
      const total = all(row).reduce((sum, one) => sum + Math.exp(one), 0);
      return Math.log(total) - all(row)[many.labels[row]!]!;
    });
    expect(measure('mlogloss', [many], setting)).toBeCloseTo(mlogloss, 9);
    const merror = mean(many, (row) =>
      all(row).indexOf(Math.max(...all(row))) === many.labels[row] ? 0 : 1,
    );
    expect(measure('merror', [many], setting)).toBeCloseTo(merror, 9);
  });

  it('auc agrees with counting pairs', async () => {
    const small = makeBlock(400, 3, 2, weighted);
    let pairs = 0;
    let total = 0;
    for (let a = 0; a < small.rows; a += 1) {
      if (small.labels[a] !== 1) continue;
      for (let b = 0; b < small.rows; b += 1) {
        if (small.labels[b] !== 0) continue;
        const weight = (small.weights?.[a] ?? 1) * (small.weights?.[b] ?? 1);
        total += weight;
        const order = small.margins[a]! - small.margins[b]!;
        pairs += order > 0 ? weight : order === 0 ? weight / 2 : 0;
      }
    }
    expect(await exactAuc([small], soloCollective, {})).toBeCloseTo(pairs / total, 12);
  });

  it.each([2, 3, 5])('auc has the same bits over %i workers as over one', async (size) => {
    const parts = Array.from({ length: size }, (_, rank) =>
      makeBlock(rank === 1 ? 0 : 500 + rank, 10 + rank, 2, weighted),
    );
    const alone = await exactAuc(parts, soloCollective, {});
    const group = await Promise.all(
      memoryGroup(size).map((collective, rank) => exactAuc([parts[rank]!], collective, {})),
    );
    expect(group).toEqual(group.map(() => alone));
  });

  it('sums have the same bits in any order of blocks', () => {
    const blocks = [
      makeBlock(999, 4, 2, weighted),
      makeBlock(1, 5, 2, weighted),
      makeBlock(300, 6, 2, weighted),
    ];
    expect(measure('logloss', blocks)).toBe(measure('logloss', [...blocks].reverse()));
  });
});

/** The correctly rounded quotient of two sums of doubles, in rational numbers. */
function exactQuotient(above: readonly number[], below: readonly number[]): number {
  const sum = (values: readonly number[]): bigint =>
    values.reduce((total, value) => {
      const [, exponent] = value.toExponential().split('e');
      const shift = value === 0 ? 0 : Math.max(0, 60 - Math.floor(Number(exponent) * Math.log2(10)));
      return total + ((BigInt(value * 2 ** Math.min(shift, 1000)) << 1200n) >> BigInt(Math.min(shift, 1000)));
    }, 0n);
  return Number((sum(above) << 60n) / sum(below)) / 2 ** 60;
}

describe('metrics of rows that span much', () => {
  const rows = 400;
  const random = seededRandom(21);
  const setting = { objective: 'reg:squarederror' } as const;
  const block: MetricBlock = {
    rows,
    margins: Int32Array.from({ length: rows }, () => Math.round((random() - 0.5) * 2 ** 24)),
    labels: Float32Array.from({ length: rows }, (_, row) => (row % 2 ? 1 : 1e9 * random() ** 40) * random()),
    weights: Float32Array.from({ length: rows }, () => random() ** 30 * 1e6 + 1e-9),
  };
  const difference = (row: number): number => margin(block, row) - block.labels[row]!;

  it.each(['rmse', 'mae'] as const)('%s is exact beside one label of a billion', (name) => {
    const loss = (row: number): number =>
      name === 'mae' ? Math.abs(difference(row)) : difference(row) * difference(row);
    const all = Array.from({ length: rows }, (_, row) => row);
    const mean = exactQuotient(
      all.map((row) => loss(row) * block.weights![row]!),
      all.map((row) => block.weights![row]!),
    );
    const expected = name === 'mae' ? mean : Math.sqrt(mean);
    expect(Math.abs(measure(name, [block], setting) / expected - 1)).toBeLessThan(4e-16);
  });

  it('the light rows decide where the heavy ones have no loss', () => {
    const light: MetricBlock = {
      rows: 3,
      margins: Int32Array.of(0, 0, 2 ** 20),
      labels: Float32Array.of(0, 1e-3, 1),
      weights: Float32Array.of(1e9, 1, 1e9),
    };
    expect(measure('mae', [light], setting)).toBeCloseTo(Math.fround(1e-3) / (2e9 + 1), 25);
  });

  it('auc counts light rows of a class that has no others', async () => {
    const light: MetricBlock = {
      rows: 4,
      margins: Int32Array.of(1, 2, 3, 4),
      labels: Float32Array.of(0, 1, 0, 1),
      weights: Float32Array.of(1e10, 1, 1e10, 3),
    };
    expect(await exactAuc([light], soloCollective, {})).toBeCloseTo((1 * 1 + 3 * 2) / (4 * 2), 9);
  });
});

describe('metrics at the edges', () => {
  const extreme: MetricBlock = {
    rows: 2,
    margins: Int32Array.of(2 ** 29, -(2 ** 29)),
    labels: Float32Array.of(0, 1),
  };

  it('stay finite at the largest margins', () => {
    expect(measure('logloss', [extreme])).toBeCloseTo(512, 6);
    expect(measure('error', [extreme])).toBe(1);
  });

  it('are NaN without rows, or for auc without one of the classes', async () => {
    const none: MetricBlock = { rows: 0, margins: new Int32Array(0), labels: new Float32Array(0) };
    expect(measure('logloss', [none])).toBeNaN();
    expect(await exactAuc([none], soloCollective, {})).toBeNaN();
    const positives: MetricBlock = { rows: 1, margins: Int32Array.of(3), labels: Float32Array.of(1) };
    expect(await exactAuc([positives], soloCollective, {})).toBeNaN();
  });

  it('auc of a perfect and of a reversed order are 1 and 0', async () => {
    expect(await exactAuc([extreme], soloCollective, {})).toBe(0);
    expect(await exactAuc([{ ...extreme, labels: Float32Array.of(1, 0) }], soloCollective, {})).toBe(1);
  });

  it('sorts fifty thousand keys as the plain sort does', () => {
    const random = seededRandom(5);
    const keys = Uint32Array.from({ length: 50_000 }, () => random() ** 4 * 2 ** 32);
    const places = Uint32Array.from(keys, (_, i) => i);
    const expected = [...places].sort((a, b) => keys[a]! - keys[b]! || a - b);
    const sorted = keys.slice();
    radixSort(sorted, places);
    expect([...places]).toEqual(expected);
    expect(sorted).toEqual(keys.slice().sort());
    const alone = keys.slice();
    radixSort(alone);
    expect(alone).toEqual(sorted);
  });

  it('ranks travel unchanged, and damaged bytes are refused', () => {
    const blocks = [makeBlock(300, 7, 2, true), { ...extreme, weights: Float32Array.of(1, 0) }];
    const runs = sortRuns(blocks, weightSpan(blocks));
    const bytes = encodeRuns(runs, 0, runs.margins.length);
    expect(decodeRuns(bytes)).toEqual(runs);
    expect(() => decodeRuns(bytes.subarray(0, bytes.length - 1))).toThrow(/malformed ranks/);
    expect(() => decodeRuns(Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0))).toThrow(
      /malformed ranks/,
    );
    expect(() => decodeArea(new TextEncoder().encode('1 2'))).toThrow(/malformed rank area/);
  });
});
