import { describe, expect, it } from 'vitest';
import { centeredClip } from '../../../../client/neural/run/centeredClip.ts';
import { plainSum } from '../../../../client/neural/run/combine.ts';
import { seededRandom } from '../../../setup/seededRandom.ts';

const pieces = (...rows: number[][]): Float32Array[] => rows.map((row) => Float32Array.from(row));
const clipped = (
  radius: number,
  iterations: number,
  weights: readonly number[],
  rows: number[][],
): number[] => [...centeredClip({ radius, iterations }, weights)(pieces(...rows))];

/** As the paper writes it, over whole rows, without weights; the centre to begin with is the median. */
function byThePaper(rows: readonly (readonly number[])[], radius: number, iterations: number): number[] {
  const middle = (values: number[]): number => {
    values.sort((a, b) => a - b);
    return (values[(values.length - 1) >> 1]! + values[values.length >> 1]!) / 2;
  };
  let v = rows[0]!.map((_, at) => middle(rows.map((row) => row[at]!)));
  for (let l = 0; l < iterations; l += 1) {
    const norms = rows.map((row) => Math.hypot(...row.map((x, at) => x - v[at]!)));
    const tau = radius * middle([...norms]);
    const sum = v.map((_, at) =>
      rows.reduce((total, row, i) => total + (row[at]! - v[at]!) * Math.min(1, tau / norms[i]!), 0),
    );
    v = v.map((x, at) => x + sum[at]! / rows.length);
  }
  return v.map((x) => x * rows.length);
}

describe('CenteredClip', () => {
  it('has by hand the values of one step in one dimension', () => {
    // Centre 1; distances 1, 0, 9; their median, the radius, 1; so 9 counts as 1: the mean is 1 + (−1 + 0 + 1) / 3.
    expect(clipped(1, 1, [1, 1, 1], [[0], [1], [10]])).toEqual([3]);
    // A radius of two median distances: the mean is 1 + (−1 + 0 + 2) / 3.
    expect(clipped(2, 1, [1, 1, 1], [[0], [1], [10]])[0]).toBeCloseTo(4, 6);
    // Two dimensions: centre (0, 0), distances 0, 0, 5 to (3, 4); a radius of 0 leaves the centre.
    expect(
      clipped(
        1,
        1,
        [1, 1, 1],
        [
          [0, 0],
          [0, 0],
          [3, 4],
        ],
      ),
    ).toEqual([0, 0]);
  });

  it('is the sum where nothing is farther than the radius', () => {
    const rows = [
      [1, 2],
      [3, 4],
      [5, 9],
      [2, -1],
    ];
    const sum = clipped(1000, 3, [1, 1, 1, 1], rows);
    expect(sum[0]).toBeCloseTo(11, 5);
    expect(sum[1]).toBeCloseTo(14, 5);
    // Whatever the weights are.
    const weighted = clipped(1000, 3, [8, 8, 2, 4], rows);
    expect(weighted[0]).toBeCloseTo(11, 5);
    expect(weighted[1]).toBeCloseTo(14, 5);
  });

  it('agrees with plain code by the paper on random rows of several sizes', () => {
    const random = seededRandom(4);
    for (const [members, length] of [
      [3, 1],
      [4, 63],
      [5, 64],
      [7, 65],
      [16, 257],
    ] as const) {
      const rows = Array.from({ length: members }, () =>
        Array.from({ length }, () => Math.fround(random() * 2 - 1)),
      );
      const expected = byThePaper(rows, 1, 3);
      const got = clipped(
        1,
        3,
        rows.map(() => 1),
        rows,
      );
      for (const [at, value] of expected.entries()) expect(got[at]).toBeCloseTo(value, 4);
    }
  });

  it('bounds what one liar of five can do, however large its lie is, which a sum does not', () => {
    const honest = [
      [1, 0],
      [1.1, 0.1],
      [0.9, -0.1],
      [1, 0.1],
    ];
    const weights = [1, 1, 1, 1, 1];
    const results = [1e2, 1e4, 1e8].map((lie) => clipped(1, 3, weights, [...honest, [-lie, lie]]));
    for (const result of results) {
      expect(Math.abs(result[0]! / 5 - 1)).toBeLessThan(0.2);
      expect(Math.abs(result[1]! / 5)).toBeLessThan(0.2);
    }
    expect(plainSum(pieces(...honest, [-1e8, 1e8]))[0]).toBeLessThan(-1e7);
  });

  it.each([NaN, Infinity, -Infinity])('leaves a contribution of %s out', (lie) => {
    const [value] = clipped(1, 3, [1, 1, 1, 1], [[1], [1.5], [2], [lie]]);
    expect(value! / 4).toBeGreaterThan(0.9);
    expect(value! / 4).toBeLessThan(2.1);
  });

  it('does not count members without any rows, and takes empty parts', () => {
    expect(clipped(1000, 2, [2, 0, 2], [[2], [99], [6]])[0]).toBeCloseTo(8, 6);
    expect(clipped(1, 2, [1, 1, 1], [[], [], []])).toEqual([]);
  });
});

describe('A plain sum of pieces', () => {
  it('has the bits of additions in rank order, and keeps a negative zero', () => {
    expect([...plainSum(pieces([1e8, -0], [1, -0], [-1e8, -0]))]).toEqual([0, -0]);
    expect([...plainSum(pieces([1e8], [-1e8], [1]))]).toEqual([1]);
  });
});
