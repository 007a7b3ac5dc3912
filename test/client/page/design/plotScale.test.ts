import { describe, expect, it } from 'vitest';
import { scaleOf, ticksOf } from '../../../../client/page/design/plotScale.ts';

describe('scaleOf', () => {
  it('is logarithmic where numbers are above zero and two decades apart, else linear', () => {
    expect(scaleOf([0.001, 0.1]).isLogarithmic).toBe(true);
    expect(scaleOf([0.0011, 0.1]).isLogarithmic).toBe(false);
    expect(scaleOf([0, 1000]).isLogarithmic).toBe(false);
    expect(scaleOf([-1, 1000]).isLogarithmic).toBe(false);
    expect(scaleOf([1, 1000], false).isLogarithmic).toBe(false);
  });

  it('gives the place of a number, and the number at a place', () => {
    const linear = scaleOf([10, 30, 20]);
    expect([10, 15, 30].map(linear.place)).toEqual([0, 0.25, 1]);
    expect([0, 0.25, 1].map(linear.at)).toEqual([10, 15, 30]);
    const logarithmic = scaleOf([0.001, 10]);
    expect(logarithmic.place(0.1)).toBeCloseTo(0.5, 12);
    expect(logarithmic.at(0.75)).toBeCloseTo(1, 12);
  });

  it('has room around one number alone, and an axis for none', () => {
    expect(scaleOf([4]).place(4)).toBe(0.5);
    expect(scaleOf([0]).place(0)).toBe(0.5);
    expect(scaleOf([-4]).place(-4)).toBe(0.5);
    expect([scaleOf([]).min, scaleOf([]).max]).toEqual([0, 1]);
  });
});

describe('ticksOf', () => {
  it('are round numbers within the axis', () => {
    expect(ticksOf(scaleOf([0, 1]), 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(ticksOf(scaleOf([3, 97]), 4)).toEqual([50]);
    expect(ticksOf(scaleOf([3, 97]), 8)).toEqual([20, 40, 60, 80]);
    expect(ticksOf(scaleOf([-0.3, 0.3]), 6)).toEqual([-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3]);
    expect(ticksOf(scaleOf([0.002, 5]), 4)).toEqual([0.01, 0.1, 1]);
    expect(ticksOf(scaleOf([1e-9, 1]), 3)).toEqual([1e-9, 1e-5, 0.1]);
  });
});
