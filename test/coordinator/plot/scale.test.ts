import { describe, expect, it } from 'vitest';
import { plotNumber } from '../../../coordinator/plot/plotNumber.ts';
import { extentOf, linearScale, linearTicks, logScale } from '../../../coordinator/plot/scale.ts';

describe('ticks', () => {
  it.each([
    [0, 10, 5, [0, 2, 4, 6, 8, 10]],
    [0.41, 0.83, 6, [0.5, 0.6, 0.7, 0.8]],
    [-1, 1, 4, [-1, -0.5, 0, 0.5, 1]],
    [1, 200, 8, [50, 100, 150, 200]],
    [0.1, 0.3, 2, [0.1, 0.2, 0.3]],
    [-1e308, 1e308, 6, [-1e308, 0, 1e308]],
  ])('from %d to %d are numbers that people count by', (low, high, count, ticks) => {
    expect(linearTicks(low, high, count)).toEqual(ticks);
  });

  it('of a logarithmic axis are powers of ten, and 2 and 5 times them where those are few', () => {
    expect(logScale([1, 1000], 0, 3).ticks).toEqual([1, 10, 100, 1000]);
    expect(logScale([0.3, 3], 0, 1).ticks).toEqual([0.5, 1, 2]);
    expect(logScale([1e-300, 1e300], 0, 1).ticks.length).toBeLessThan(10);
  });
});

describe('places', () => {
  it('are between the ends of an axis', () => {
    const { at } = linearScale([2, 4], 100, 0);
    expect([2, 3, 4].map(at)).toEqual([100, 50, 0]);
    expect([at(NaN), at(Infinity)]).toEqual([NaN, NaN]);
    const log = logScale([1, 100], 0, 10);
    expect([1, 10, 100, 0, -1].map(log.at)).toEqual([0, 5, 10, NaN, NaN]);
  });

  it('are in the middle where all values are equal', () => {
    expect([0, 7, -3].map((value) => linearScale([value, value], 0, 10).at(value))).toEqual([5, 5, 5]);
    expect(logScale([7, 7], 0, 10).at(7)).toBeCloseTo(5);
  });

  it('are of finite values, on a logarithmic axis of those above zero', () => {
    expect(extentOf([3, NaN, -1, Infinity, 2])).toEqual([-1, 3]);
    expect(extentOf([3, 0, -1, 2], true)).toEqual([2, 3]);
    expect(extentOf([NaN])).toBeUndefined();
  });
});

it.each([
  [0, '0'],
  [0.731234567, '0.731235'],
  [12_000, '12,000'],
  [1234.5678, '1,234.57'],
  [1.5e-7, '1.5e-7'],
  [3e12, '3e12'],
  [NaN, 'NaN'],
  [-Infinity, '-Infinity'],
])('%d is written as %s', (value, text) => {
  expect(plotNumber(value)).toBe(text);
});
