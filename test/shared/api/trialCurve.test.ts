import { describe, expect, it } from 'vitest';
import { joinedCurve, thinnedCurve, type TrialReportPoint } from '../../../shared/api/trialCurve.ts';

const curve = (from: number, to: number, step = 1): TrialReportPoint[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => [
    from + i * step,
    (from + i * step) / 2,
  ]);

describe('thinnedCurve', () => {
  it.each([0, 1, 63, 64, 65, 257, 10_000])('keeps at most 64 of %i points, and the last of them', (count) => {
    const points = curve(1, count);
    const thin = thinnedCurve(points, 64);
    expect(thin.length).toBeLessThanOrEqual(64);
    expect(thin.at(-1)).toEqual(points.at(-1));
    expect(thin[0]).toEqual(points[0]);
    if (count < 63) expect(thin).toEqual(points);
    else expect(thin.length).toBeGreaterThanOrEqual(32);
  });

  it('keeps what is spread evenly over the iterations', () => {
    expect(thinnedCurve(curve(1, 15), 8).map(([at]) => at)).toEqual([1, 3, 7, 11, 15]);
    expect(thinnedCurve(curve(1, 16), 8).map(([at]) => at)).toEqual([1, 3, 7, 11, 15, 16]);
    expect(thinnedCurve(curve(100, 1000, 100), 8).map(([at]) => at)).toEqual([100, 200, 500, 700, 1000]);
  });

  it('gives the same for points that come in parts, thinned on the way, as for all at once', () => {
    const points = curve(1, 5000);
    let known: readonly TrialReportPoint[] = [];
    for (let first = 0; first < points.length; first += 700) {
      const part = thinnedCurve(points.slice(first, first + 700), 64);
      known = thinnedCurve(joinedCurve(known, part, part.at(-1)![0]), 64);
    }
    expect(known).toEqual(thinnedCurve(points, 64));
  });
});

describe('joinedCurve', () => {
  it('replaces what was told from the first new iteration on', () => {
    expect(
      joinedCurve(
        [
          [1, 1],
          [2, 1],
          [3, 1],
        ],
        [[2, 9]],
        2,
      ),
    ).toEqual([
      [1, 1],
      [2, 9],
    ]);
  });

  it('drops what the trial has taken back', () => {
    expect(
      joinedCurve(
        [
          [1, 1],
          [2, 1],
          [3, 1],
        ],
        [],
        2,
      ),
    ).toEqual([
      [1, 1],
      [2, 1],
    ]);
    expect(joinedCurve([[1, 1]], [], 0)).toEqual([]);
  });
});
