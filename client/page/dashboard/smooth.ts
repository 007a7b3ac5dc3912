// Smoothing of curves, as TensorBoard does it.

import { higherIsBetter } from '../../../shared/run/metricNames.ts';
import type { Point } from '../design/curve.ts';

/**
 * Exponential moving average with the bias of its beginning taken out (Kingma and Ba, Adam, section 3).
 * @param weight of what was before, in [0, 1): 0 leaves the points as they are.
 */
export function smoothed(points: readonly Point[], weight: number): readonly Point[] {
  if (weight <= 0) return points;
  let sum = 0;
  let total = 0;
  return points.map(({ at, value }) => {
    sum = sum * weight + value * (1 - weight);
    total = total * weight + (1 - weight);
    return { at, value: sum / total };
  });
}

/** The best value of a metric, by what its name says of which is better; undefined where the name says nothing. */
export function bestPoint(name: string, points: readonly Point[]): Point | undefined {
  const isMore = higherIsBetter(name);
  if (isMore === undefined) return undefined;
  return points.reduce<Point | undefined>((best, point) => {
    if (best === undefined) return point;
    return (isMore ? point.value > best.value : point.value < best.value) ? point : best;
  }, undefined);
}
