import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  binColumn,
  binCategories,
  checkCategoryCount,
  createBinner,
} from '../../../shared/gbdt/binColumn.ts';
import { buildCategoricalCuts, buildCuts } from '../../../shared/gbdt/cuts.ts';
import { createSketch, createSketchRoom, QuantileSketch } from '../../../shared/gbdt/quantileSketch.ts';
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

  function hashOf(sketch: QuantileSketch): string {
    const hash = createHash('sha256');
    for (const array of Object.values(sketch.summary())) hash.update(array as Float32Array);
    return hash.digest('hex').slice(0, 16);
  }

  /** Numbers of so many different values, some of them missing. */
  function someNumbers(count: number, distinct: number, seed: number): Float32Array<ArrayBuffer> {
    const random = seededRandom(seed);
    return Float32Array.from({ length: count }, () =>
      random() < 0.01 ? NaN : Math.floor((random() - 0.5) * distinct) / 64,
    );
  }

  it.each([
    [0, 1],
    [1, 1],
    [65, 10],
    [65_537, 1 << 23],
    [131_073, 1 << 23],
    [300_000, 70_000],
    [300_000, 100_000],
    [700_000, 1 << 23],
  ])(
    'of %i values, of %i different ones, is the same whether they weigh 1 or have no weight',
    (count, distinct) => {
      const values = someNumbers(count, distinct, count + distinct);
      const plain = sketchOf(values);
      expect(hashOf(plain)).toBe(hashOf(sketchOf(values, new Float32Array(count).fill(1))));
      // Weights may begin late, and end.
      const mixed = createSketch();
      const third = Math.floor(count / 3);
      mixed.push(values.subarray(0, third));
      mixed.push(values.subarray(third, 2 * third), new Float32Array(third).fill(1));
      mixed.push(values.subarray(2 * third));
      expect(hashOf(mixed)).toBe(hashOf(plain));
    },
  );

  it('has had the same bytes in all versions: cuts, shards and models follow from them', () => {
    const values = someNumbers(700_000, 1 << 23, 4);
    const random = seededRandom(5);
    const weights = Float32Array.from(values, () => Math.floor(4 * random()) / 3);
    expect(hashOf(sketchOf(values))).toBe('1bb8a44d6dabd70a');
    expect(hashOf(sketchOf(values, weights))).toBe('d0883d489d00c3b3');
  });

  it('shares its memory with others without mixing with them', () => {
    const columns = [1 << 23, 80_000, 100].map((distinct) => someNumbers(400_000, distinct, distinct));
    const room = createSketchRoom();
    const sketches = columns.map(() => new QuantileSketch(room));
    for (let at = 0; at < 400_000; at += 10_000) {
      sketches.forEach((sketch, i) => sketch.push(columns[i]!.subarray(at, at + 10_000)));
    }
    const alone = columns.map((column) => hashOf(sketchOf(column)));
    expect(sketches.map(hashOf)).toEqual(alone);
    // Asking changes nothing.
    expect(sketches.map(hashOf)).toEqual(alone);
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

  const random = seededRandom(6);
  const spread = (): number => (random() - 0.5) * 10 ** Math.floor(random() * 60 - 40);
  it.each<[name: string, value: () => number]>([
    ['around zero', () => random() + random() - 1],
    ['of all sizes', spread],
    ['close to one another', () => 1000 + random()],
    ['that are few', () => Math.floor(4 * random()) - 1],
    ['near the largest', () => 3.4e38 * (random() < 0.5 ? random() : -random())],
    ['that are one', () => 7],
  ])('are the same by a table and by bisection: values %s', (_, value) => {
    const values = Float32Array.from({ length: 20_000 }, value);
    const cuts = buildCuts(sketchOf(values).summary(), 256);
    const number = new Float32Array(1);
    const bits = new Int32Array(number.buffer);
    const neighbours = Array.from(cuts.cuts).flatMap((cut) =>
      [-1, 0, 1].map((step) => {
        number[0] = cut;
        bits[0]! += step;
        return number[0];
      }),
    );
    // A NaN has many patterns of bits; the last two are the smallest of each sign.
    const special = Float32Array.of(0, -0, 1e-45, -1e-45, Infinity, -Infinity, NaN, 0, 0);
    new Uint32Array(special.buffer).set([0xffc00000, 0x7f800001, 0xff800001], 6);
    for (const tried of [values, Float32Array.from(neighbours), special, Float32Array.from(values, spread)]) {
      expect(createBinner(cuts)(tried)).toEqual(binColumn(tried, cuts));
    }
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
