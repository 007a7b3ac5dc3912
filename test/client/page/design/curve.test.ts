import { describe, expect, it } from 'vitest';
import { LearningCurve, MAX_LINES, MAX_POINTS } from '../../../../client/page/design/curve.ts';
import { mainMetric } from '../../../../shared/run/metricNames.ts';

describe('the learning curve', () => {
  it('has a point a round of each metric, and begins anew with another run', () => {
    const curve = new LearningCurve();
    curve.add('r', 1, { 'train-auc': 0.5, 'valid-auc': 0.4, epoch: 0.1 });
    curve.add('r', 2, { 'train-auc': 0.75, 'valid-auc': Number.NaN });
    curve.add('r', 2, { 'train-auc': 9 });
    expect(curve.names).toEqual(['train-auc', 'valid-auc']);
    expect(curve.points('train-auc')).toEqual([
      { at: 1, value: 0.5 },
      { at: 2, value: 0.75 },
    ]);
    expect(curve.points('valid-auc')).toEqual([{ at: 1, value: 0.4 }]);
    curve.add('next', 1, { loss: 3 });
    expect(curve.names).toEqual(['loss']);
  });

  it('keeps its shape in a bounded number of points, however long the run is', () => {
    const curve = new LearningCurve();
    const rounds = 100_000;
    for (let at = 1; at <= rounds; at++) curve.add('r', at, { loss: 1 / at });
    const points = curve.points('loss');
    expect(points.length).toBeLessThanOrEqual(MAX_POINTS);
    expect(points.length).toBeGreaterThan(MAX_POINTS / 4);
    expect(points[0]).toEqual({ at: 1, value: 1 });
    expect(points.every(({ at, value }) => value === 1 / at)).toBe(true);
    const gaps = points.slice(1).map(({ at }, i) => at - points[i]!.at);
    expect(Math.max(...gaps)).toBeLessThan((4 * rounds) / MAX_POINTS);
    expect(points.at(-1)!.at).toBeGreaterThan(0.99 * rounds);
  });

  it('takes no more lines than it can show', () => {
    const curve = new LearningCurve();
    curve.add('r', 1, Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`m${i}`, i])));
    expect(curve.names).toHaveLength(MAX_LINES);
  });

  it.each([
    [['train-auc', 'valid-auc'], 'valid-auc'],
    [['loss', 'accuracy'], 'loss'],
    [[], undefined],
  ])('of %j shows %s first', (names, main) => {
    expect(mainMetric(names)).toBe(main);
  });
});
