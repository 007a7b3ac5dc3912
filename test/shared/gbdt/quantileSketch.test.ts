import { describe, expect, it } from 'vitest';
import { binColumn, binCategories, checkCategoryCount } from '../../../shared/gbdt/binColumn.ts';
import { buildCategoricalCuts, buildCuts } from '../../../shared/gbdt/cuts.ts';
import type { QuantileSketch } from '../../../shared/gbdt/quantileSketch.ts';
import { createSketch } from '../../../shared/gbdt/quantileSketch.ts';
import { seededRandom } from '../../setup/seededRandom.ts';

function sketchOf(values: ArrayLike<number>, weights?: ArrayLike<number>): QuantileSketch {
  const sketch = createSketch();
  sketch.push(Float32Array.from(values), weights);
  return sketch;
}

const cutsOf = (values: ArrayLike<number>, maxBin = 256): number[] =>
  Array.from(buildCuts(sketchOf(values).summary(), maxBin).cuts);

describe('cuts', () => {
  it('give each of few values a bin of its own, below the next value', () => {
    expect(cutsOf([3, 1, 2, 2, NaN])).toEqual([2, 3, Math.fround(6.00001)]);
  });

  it('of a column of one value are one bin that holds it', () => {
    const cuts = buildCuts(sketchOf([7, 7, 7]).summary(), 256);
    expect(cuts.cuts.length).toBe(1);
    expect(Array.from(binColumn(Float32Array.of(7, NaN), cuts))).toEqual([0, 255]);
    expect(cuts.belowAll).toBeLessThan(7);
  });

  it.each([[[]], [[NaN, NaN]], [[Infinity]]])(
    'of a column without values (%j) are one bin that stays empty',
    (values) => {
      const cuts = buildCuts(sketchOf(values).summary(), 256);
      expect(cuts.cuts.length).toBe(1);
      expect(Array.from(binColumn(Float32Array.of(NaN), cuts))).toEqual([255]);
    },
  );

  it.each([2, 3, 16, 255, 256])('never make more bins than %i, nor more than 255', (maxBin) => {
    const random = seededRandom(maxBin);
    const values = Float32Array.from({ length: 5000 }, random);
    const { cuts } = buildCuts(sketchOf(values).summary(), maxBin);
    expect(cuts.length).toBeLessThanOrEqual(Math.min(maxBin, 255));
    expect(cuts.length).toBeGreaterThanOrEqual(Math.min(maxBin, 255) - 1);
    expect(Array.from(cuts)).toEqual(Array.from(cuts).sort((a, b) => a - b));
  });

  it('spread the weight, not the rows, over the bins', () => {
    const values = Float32Array.from({ length: 10_000 }, (_, i) => i);
    const weights = values.map((value) => (value < 1000 ? 90 : 1));
    const { cuts } = buildCuts(sketchOf(values, weights).summary(), 100);
    // Nine tenths of the weight lie below 1000: so do about nine tenths of the cuts.
    expect(cuts.filter((cut) => cut < 1000).length).toBeGreaterThan(85);
  });

  it('hold values near the largest float without becoming infinite', () => {
    const largest = 3.4028234663852886e38;
    expect(cutsOf([-largest, largest]).every(Number.isFinite)).toBe(true);
  });
});

describe('a sketch', () => {
  it('does not depend on how rows are cut into batches, even beyond exact counting', () => {
    const random = seededRandom(1);
    const values = Float32Array.from({ length: 200_000 }, random);
    const whole = sketchOf(values);
    const parts = createSketch();
    for (let at = 0; at < values.length; at += 777) parts.push(values.subarray(at, at + 777));
    expect(buildCuts(parts.summary(), 256)).toEqual(buildCuts(whole.summary(), 256));
  });

  it('keeps ranks within a thousandth over a million distinct values', () => {
    const random = seededRandom(2);
    const values = Float32Array.from({ length: 1_000_000 }, () => random() ** 3);
    const { cuts } = buildCuts(sketchOf(values).summary(), 100);
    const sorted = values.slice().sort();
    Array.from(cuts.subarray(0, -1)).forEach((cut, i) => {
      const rank = sorted.findIndex((value) => value >= cut) / sorted.length;
      expect(Math.abs(rank - (i + 1) / 100)).toBeLessThan(0.001);
    });
  });

  it('treats both zeros as one value', () => {
    expect(cutsOf([0, -0, 1]).length).toBe(2);
  });
});

describe('bin codes', () => {
  it('count the cuts at or below a value, as x < cut sends it left', () => {
    const random = seededRandom(3);
    const values = Float32Array.from(
      { length: 3000 },
      () => (random() - 0.5) * 10 ** Math.floor(random() * 12 - 6),
    );
    const cuts = buildCuts(sketchOf(values).summary(), 200);
    const codes = binColumn(values, cuts);
    values.forEach((value, i) => {
      const expected = Array.from(cuts.cuts).filter((cut) => cut <= value).length;
      expect(codes[i]).toBe(expected);
    });
  });

  it('put zeros of both signs, infinities and values beyond the cuts where comparisons put them', () => {
    const cuts = buildCuts(sketchOf([-1, 0, 1]).summary(), 256);
    const values = Float32Array.of(0, -0, -1e-45, 1e-45, -Infinity, Infinity, 1e30, NaN);
    expect(Array.from(binColumn(values, cuts))).toEqual([1, 1, 0, 1, 0, 2, 2, 255]);
  });

  it.each([0, 1, 63, 64, 65, 257])('are made for columns of %i rows', (rows) => {
    const values = Float32Array.from({ length: rows }, (_, i) => i);
    const codes = binColumn(values, buildCuts(sketchOf(values).summary(), 256));
    expect(codes.length).toBe(rows);
    if (rows > 0 && rows <= 255) expect(codes[rows - 1]).toBe(rows - 1);
  });

  it('of categories are the codes, and wrong codes are named by row', () => {
    expect(Array.from(binCategories([0, 2, -1, NaN], 3, { column: 'color' }))).toEqual([0, 2, 255, 255]);
    expect(() => binCategories([0, 3], 3, { column: 'color', firstRow: 10 })).toThrow(
      /"color", row 11: code 3/,
    );
    expect(buildCategoricalCuts(3).cuts.length).toBe(3);
    expect(() => checkCategoryCount(255, 'color')).not.toThrow();
    expect(() => checkCategoryCount(256, 'color')).toThrow(/256 categories, expected at most 255/);
  });
});
