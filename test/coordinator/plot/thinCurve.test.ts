import { describe, expect, it } from 'vitest';
import { thinCurve } from '../../../coordinator/plot/thinCurve.ts';

const curve = (length: number, value: (x: number) => number) =>
  Array.from({ length }, (_, x) => ({ x, y: value(x) }));

describe('A curve that is thinned', () => {
  it('is left as it is where it has few points', () => {
    const points = curve(64, (x) => x);
    expect(thinCurve(points, 64)).toBe(points);
    expect(thinCurve([], 4)).toEqual([]);
  });

  it('keeps its ends, its peaks and the order, in no more points than are asked for', () => {
    const points = curve(10_000, (x) => (x === 4321 ? 99 : x === 8765 ? -99 : Math.sin(x / 100)));
    const thin = thinCurve(points, 200);
    expect(thin.length).toBeLessThanOrEqual(200);
    expect([thin[0], thin.at(-1)]).toEqual([points[0], points.at(-1)]);
    expect(thin).toContainEqual({ x: 4321, y: 99 });
    expect(thin).toContainEqual({ x: 8765, y: -99 });
    expect(thin.every(({ x }, i) => i === 0 || x > thin[i - 1]!.x)).toBe(true);
  });

  it('keeps a gap where there are no numbers', () => {
    const thin = thinCurve(
      curve(1000, (x) => (x > 400 && x < 600 ? NaN : 1)),
      40,
    );
    expect(thin.filter(({ y }) => Number.isNaN(y)).length).toBeGreaterThan(2);
    expect(thin.length).toBeLessThanOrEqual(40);
  });
});
