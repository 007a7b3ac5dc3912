import { describe, expect, it } from 'vitest';
import { ThinnedCurve, type CurvePoint } from '../../../shared/run/thinnedCurve.ts';
import { randomFromWords } from '../../../shared/text/randomFromWords.ts';

function noise(count: number): CurvePoint[] {
  const random = randomFromWords(7, 'curve');
  return Array.from({ length: count }, (_, at) => ({ at: at + 1, value: random() }));
}

function thinned(points: readonly CurvePoint[], most: number): ThinnedCurve {
  const curve = new ThinnedCurve(most);
  for (const point of points) curve.add(point);
  return curve;
}

describe('A thinned curve', () => {
  it.each([0, 1, 2, 63, 64, 65, 257, 10_000])(
    'of %d points has at most as many as were asked for',
    (count) => {
      const points = noise(count);
      const remaining = thinned(points, 64).points();
      expect(remaining.length).toBeLessThanOrEqual(64);
      expect(remaining.length).toBeGreaterThanOrEqual(Math.min(count, 30));
      expect(remaining.every(({ at }, i) => at > (remaining[i - 1]?.at ?? 0))).toBe(true);
      const all = new Set(points);
      expect(remaining.every((point) => all.has(point))).toBe(true);
      expect([remaining[0], remaining.at(-1)]).toEqual([points[0], points.at(-1)]);
    },
  );

  it('of few points has them all', () => {
    const points = noise(30);
    expect(thinned(points, 64).points()).toEqual(points);
  });

  it('keeps the lowest and highest point of every stretch, and tells those of all exactly', () => {
    const points = noise(4096);
    const curve = thinned(points, 66);
    const remaining = new Set(curve.points());
    // 32 buckets hold 4,097 places in stretches of 256.
    for (let from = 0; from < 4096; from += 256) {
      const stretch = points.filter(({ at }) => at >= from && at < from + 256);
      const values = stretch.map(({ value }) => value);
      for (const peak of [Math.min(...values), Math.max(...values)]) {
        expect(remaining.has(stretch.find(({ value }) => value === peak)!)).toBe(true);
      }
    }
    const values = points.map(({ value }) => value);
    expect([curve.lowest?.value, curve.highest?.value]).toEqual([Math.min(...values), Math.max(...values)]);
    expect([curve.first, curve.last, curve.count]).toEqual([points[0], points.at(-1), 4096]);
  });

  it('keeps a single spike among 100,000 even points, whichever it is', () => {
    for (const spike of [2, 777, 65_536, 99_999]) {
      const curve = new ThinnedCurve(128);
      for (let at = 1; at <= 100_000; at += 1) curve.add({ at, value: at === spike ? -5 : 1 });
      expect(curve.points()).toContainEqual({ at: spike, value: -5 });
      expect(curve.lowest?.at).toBe(spike);
    }
  });

  it('loses no peak when it is thinned again', () => {
    const points = noise(5000);
    const again = thinned(thinned(points, 512).points(), 64);
    expect(again.lowest).toEqual(thinned(points, 64).lowest);
    expect(again.points()).toEqual(thinned(points, 64).points());
  });

  it('leaves out what is no number, and what does not lie after the last point', () => {
    const curve = thinned(
      [
        { at: 1, value: NaN },
        { at: 2, value: 4 },
        { at: 3, value: Infinity },
        { at: 2, value: 9 },
        { at: 4, value: 4 },
      ],
      16,
    );
    expect(curve.points()).toEqual([
      { at: 2, value: 4 },
      { at: 4, value: 4 },
    ]);
    // Of equal ones the first.
    expect([curve.count, curve.lowest?.at, curve.highest?.at]).toEqual([2, 2, 2]);
  });
});
