import { describe, expect, it } from 'vitest';
import { numbersOfSample, numbersOfSummary } from '../../../../coordinator/train/summary/describeNumbers.ts';
import { HISTOGRAM_BINS } from '../../../../shared/api/datasetAnswers.ts';
import { QuantileSketch } from '../../../../shared/gbdt/quantileSketch.ts';
import { seededRandom } from '../../../setup/seededRandom.ts';

function sketched(values: Float32Array, weights?: Float32Array): QuantileSketch {
  const sketch = new QuantileSketch();
  for (let from = 0; from < values.length; from += 65_536) {
    sketch.push(values.subarray(from, from + 65_536), weights?.subarray(from, from + 65_536));
  }
  return sketch;
}

/** In plain loops. */
function histogram(values: Float32Array, weights?: Float32Array): number[] {
  const present = values.filter((value) => !Number.isNaN(value));
  const [min, max] = [Math.min(...present.subarray(0, 1e5)), Math.max(...present.subarray(0, 1e5))];
  const bins = Array.from({ length: HISTOGRAM_BINS }, () => 0);
  for (const [i, value] of values.entries()) {
    if (Number.isNaN(value)) continue;
    const bin = Math.min(HISTOGRAM_BINS - 1, Math.floor((value - min) * (HISTOGRAM_BINS / (max - min))));
    bins[bin]! += weights?.[i] ?? 1;
  }
  return bins;
}

describe('Numbers from the summary of a sketch', () => {
  it('are exact while every value is counted, missing ones apart', () => {
    const values = Float32Array.from({ length: 5000 }, (_, i) => (i % 7 === 0 ? NaN : (i * i) % 101));
    const sketch = sketched(values);
    const numbers = numbersOfSummary(sketch.summary())!;
    const present = [...values].filter((value) => !Number.isNaN(value));
    expect(numbers.bins).toEqual(histogram(values));
    expect([numbers.min, numbers.max]).toEqual([Math.min(...present), Math.max(...present)]);
    expect(numbers.mean).toBeCloseTo(present.reduce((sum, value) => sum + value, 0) / present.length, 9);
    expect(sketch.taken).toBe(present.length);
  });

  it('are of weights where there are some; values of weight 0 are passed over', () => {
    const values = Float32Array.from({ length: 4000 }, (_, i) => i % 89);
    const weights = Float32Array.from({ length: 4000 }, (_, i) => i % 3);
    const sketch = sketched(values, weights);
    expect(numbersOfSummary(sketch.summary())!.bins).toEqual(histogram(values, weights));
    expect(sketch.taken).toBe(weights.filter((weight) => weight > 0).length);
  });

  it('are close, and lose nothing, where values were left out', () => {
    const random = seededRandom(5);
    const values = Float32Array.from({ length: 300_000 }, () => random() ** 3);
    const sketch = sketched(values);
    const { min, max, mean, bins } = numbersOfSummary(sketch.summary())!;
    const exact = histogram(values);
    let [least, most, sum] = [Infinity, -Infinity, 0];
    for (const value of values) {
      [least, most] = [Math.min(least, value), Math.max(most, value)];
      sum += value;
    }
    expect([min, max]).toEqual([least, most]);
    expect(mean).toBeCloseTo(sum / values.length, 3);
    expect(bins.reduce((all, count) => all + count, 0)).toBeCloseTo(values.length, 0);
    // A thousandth of all rows.
    for (const [bin, count] of bins.entries()) expect(Math.abs(count - exact[bin]!)).toBeLessThan(300);
    expect(sketch.taken).toBe(values.length);
  });

  it('of one value have one bin, of none there are none', () => {
    expect(numbersOfSummary(sketched(Float32Array.of(3, NaN, 3)).summary())).toEqual({
      min: 3,
      max: 3,
      mean: 3,
      bins: [2],
    });
    expect(numbersOfSummary(sketched(Float32Array.of(NaN)).summary())).toBeUndefined();
  });
});

describe('Numbers of a sample', () => {
  it('pass over what is not finite', () => {
    const { min, max, mean, bins } = numbersOfSample([1, NaN, 3, Infinity, 2])!;
    expect([min, max, mean]).toEqual([1, 3, 2]);
    expect(bins.reduce((sum, count) => sum + count, 0)).toBe(3);
    expect(numbersOfSample([NaN])).toBeUndefined();
  });

  it('reach from the smallest to the largest float', () => {
    const largest = 3.4028234663852886e38;
    expect(numbersOfSample([-largest, largest])).toMatchObject({ min: -largest, max: largest, mean: 0 });
  });
});
