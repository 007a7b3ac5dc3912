import { describe, expect, it } from 'vitest';
import {
  choice,
  gridSearch,
  loguniform,
  qloguniform,
  qrandint,
  quniform,
  randint,
  sampleFrom,
  uniform,
} from '../../../coordinator/tune/space/domain.ts';
import type { Domain } from '../../../coordinator/tune/space/domain.ts';
import { sampleSpace } from '../../../coordinator/tune/space/sampleSpace.ts';
import { configOf, resolveSpace } from '../../../coordinator/tune/space/searchSpace.ts';
import { spaceFromJson, spaceToJson } from '../../../coordinator/tune/space/spaceJson.ts';
import { gridSearcher } from '../../../coordinator/tune/search/gridSearcher.ts';
import { randomSearcher } from '../../../coordinator/tune/search/randomSearcher.ts';

function draw(domain: Domain, count = 2000): number[] {
  const space = resolveSpace({ x: domain });
  return Array.from({ length: count }, (_, index) => sampleSpace(space, 7, index)['x'] as number);
}

describe('search space', () => {
  it('draws uniform numbers all over their range', () => {
    const values = draw(uniform(-2, 6));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...values)).toBeLessThanOrEqual(6);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    // The mean of 2000 such numbers has a standard deviation of 0.052.
    expect(Math.abs(mean - 2)).toBeLessThan(0.2);
  });

  it('draws loguniform numbers with an even logarithm', () => {
    const values = draw(loguniform(1e-4, 1));
    const small = values.filter((value) => value < 1e-2).length / values.length;
    expect(Math.abs(small - 0.5)).toBeLessThan(0.05);
  });

  it('leaves the upper bound of randint out, and takes that of qrandint in', () => {
    expect(new Set(draw(randint(3, 6)))).toEqual(new Set([3, 4, 5]));
    expect(new Set(draw(qrandint(2, 8, 2)))).toEqual(new Set([2, 4, 6, 8]));
  });

  it('gives every multiple of a step the same chance, the ends too, and writes no noise of fractions', () => {
    const counts = new Map<number, number>();
    for (const value of draw(quniform(0, 0.4, 0.1), 4000)) counts.set(value, (counts.get(value) ?? 0) + 1);
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([0, 0.1, 0.2, 0.3, 0.4]);
    for (const count of counts.values()) expect(Math.abs(count / 4000 - 0.2)).toBeLessThan(0.03);
    expect(draw(qloguniform(10, 1000, 10)).every((value) => value % 10 === 0 && value >= 10)).toBe(true);
  });

  it('moves the bounds of qrandint inside to multiples, also on the way through JSON', () => {
    const space = { x: qrandint(3, 11, 4) };
    expect(new Set(draw(space.x))).toEqual(new Set([4, 8]));
    expect(new Set(draw(qrandint(-5, 5, 4)))).toEqual(new Set([-4, 0, 4]));
    expect(spaceFromJson(spaceToJson(space))).toEqual(space);
  });

  it('draws a quantised logarithm by the interval around each multiple, within bounds that have no exact fraction', () => {
    const values = draw(qloguniform(0.1, 0.8, 0.1), 8000);
    const exact = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
    expect([...new Set(values)].sort((a, b) => a - b)).toEqual(exact);
    for (const value of exact) {
      const [from, to] = [Math.max(0.1, value - 0.05), Math.min(0.8, value + 0.05)];
      const share = values.filter((one) => one === value).length / values.length;
      expect(Math.abs(share - Math.log(to / from) / Math.log(8))).toBeLessThan(0.02);
    }
    expect(draw(quniform(-0.7, 0.7, 0.7)).every((value) => [-0.7, 0, 0.7].includes(value))).toBe(true);
  });

  it('finds domains wherever they are nested, and puts values in their places', () => {
    const marker = new Date(0);
    const space = resolveSpace({
      params: { max_depth: gridSearch([4, 8]), eta: 0.3 },
      layers: [{ units: choice([{ size: 16 }, marker]) }],
    });
    expect(space.dimensions.map(({ path }) => path)).toEqual(['params.max_depth', 'layers[0].units']);
    const config = configOf(space, { 'params.max_depth': 1, 'layers[0].units': 1 });
    expect(config).toEqual({ params: { max_depth: 8, eta: 0.3 }, layers: [{ units: marker }] });
  });

  it('computes sampleFrom from what comes before it', () => {
    const space = resolveSpace({
      depth: randint(2, 9),
      leaves: sampleFrom(({ depth }) => 2 ** (depth as number)),
    });
    const drawn = sampleSpace(space, 0, 3);
    expect(drawn['leaves']).toBe(2 ** (drawn['depth'] as number));
  });

  it.each([
    [{ a: { b: uniform(2, 1) } }, 'paramSpace.a.b is uniform(2, 1), which no number fits'],
    [{ a: choice([]) }, 'paramSpace.a is choice of no values'],
    [{ a: gridSearch([]) }, 'paramSpace.a is gridSearch of no values'],
    [{ a: loguniform(0, 1) }, 'paramSpace.a is loguniform(0, 1); a logarithm needs bounds above zero'],
    [{ a: quniform(0, 1, 0.3) }, 'expected bounds that are multiples of 0.3'],
    [{ a: qrandint(3, 3, 2) }, 'paramSpace.a is qrandint(3, 3, 2); expected bounds that are multiples of 2'],
    [{ a: qrandint(5, 7, 8) }, 'paramSpace.a is qrandint(5, 7, 8); expected bounds that are multiples of 8'],
    [{ a: qrandint(0, 4, 0) }, 'paramSpace.a is qrandint(0, 4, 0); expected a step above zero'],
    [{ a: qrandint(0, 4, 0.5) }, 'paramSpace.a is qrandint(0, 4, 0.5); expected a whole step'],
    [{ a: quniform(0.1, 1, 0.2) }, 'expected bounds that are multiples of 0.2'],
    [{ a: randint(3, 3) }, 'paramSpace.a is randint(3, 3), which no number fits'],
    [{ a: uniform(0, NaN) }, 'paramSpace.a is uniform(0, NaN); expected finite bounds'],
    [{ a: [choice([uniform(0, 1)])] }, 'paramSpace.a[0] has a search space inside its choice'],
  ])('refuses %j and names the path', (space, message) => {
    expect(() => resolveSpace(space)).toThrow(
      expect.objectContaining({ code: 'TUNE_SPACE_INVALID', message: expect.stringContaining(message) }),
    );
  });

  it('survives the way through JSON, except for functions and objects', () => {
    const space = {
      params: { a: uniform(0, 1), b: randint(2, 7), c: choice([1, 'x']), d: gridSearch([4, 6]) },
      n: 3,
    };
    const json = spaceToJson(space);
    expect(json).toEqual({
      params: {
        a: { uniform: [0, 1] },
        b: { randint: [2, 7] },
        c: { choice: [1, 'x'] },
        d: { grid: [4, 6] },
      },
      n: 3,
    });
    expect(spaceFromJson(json)).toEqual(space);
    expect(spaceToJson({ a: quniform(0, 2, 0.5) })).toEqual({ a: { quniform: [0, 2, 0.5] } });
    expect(spaceToJson({ a: sampleFrom(() => 1) })).toBeUndefined();
    expect(spaceToJson({ a: choice([new Date()]) })).toBeUndefined();
  });
});

describe('grid and random searchers', () => {
  const space = resolveSpace({ a: gridSearch([1, 2]), b: gridSearch(['x', 'y', 'z']), c: uniform(0, 1) });

  it('grid goes through every combination, numSamples times, the last one fastest', () => {
    expect(gridSearcher.trials(space, 2)).toBe(12);
    const configs = Array.from({ length: 12 }, (_, index) =>
      configOf(space, gridSearcher.propose({ space, seed: 0, index, observations: [] })),
    );
    const pairs = configs.map(({ a, b }) => `${String(a)}${String(b)}`);
    expect(pairs.slice(0, 6)).toEqual(['1x', '1y', '1z', '2x', '2y', '2z']);
    expect(pairs.slice(6)).toEqual(pairs.slice(0, 6));
    expect(new Set(configs.map(({ c }) => c)).size).toBe(12);
  });

  it('draws a trial from the seed and its index alone', () => {
    const propose = (seed: number, index: number) =>
      randomSearcher.propose({ space, seed, index, observations: [] });
    expect(propose(5, 3)).toEqual(propose(5, 3));
    expect(propose(5, 3)).not.toEqual(propose(6, 3));
    expect(propose(5, 3)).not.toEqual(propose(5, 4));
  });
});
