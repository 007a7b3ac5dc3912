// Means that a few members can pull no farther than a bound: CenteredClip (Karimireddy, He, Jaggi: Learning from History for Byzantine
// Robust Optimization, 2021). Each contribution counts as its distance from a centre, cut to a radius. Two things are otherwise here:
// the centre to begin with is the median of each coordinate, so that nothing has to be remembered from step to step; and the radius is
// a multiple of the median distance from the centre, since gradients become smaller as training goes on.

import type { CenteredClipSpec } from '../../../shared/neural/run/neuralSpec.ts';
import type { Combine } from './combine.ts';

/**
 * The sum of one part as its clipped mean would have it. Where nothing is farther from the centre than the radius, it is the sum.
 * @param weights of each rank, e.g. the examples that its contribution is a sum over; one without any does not count.
 */
export function centeredClip({ radius, iterations }: CenteredClipSpec, weights: readonly number[]): Combine {
  return (pieces) => {
    const ranks = weights.flatMap((weight, rank) => (weight > 0 ? [rank] : []));
    const total = ranks.reduce((sum, rank) => sum + weights[rank]!, 0);
    const means = ranks.map((rank) => Float64Array.from(pieces[rank]!, (value) => value / weights[rank]!));
    const shares = ranks.map((rank) => weights[rank]! / total);
    let centre = medians(means);
    for (let iteration = 0; iteration < iterations; iteration += 1)
      centre = moved(centre, means, shares, radius);
    return Float32Array.from(centre, (value) => value * total);
  };
}

/** v + Σ share · (x − v) · min(1, τ / |x − v|) */
function moved(
  centre: Float64Array,
  means: readonly Float64Array[],
  shares: readonly number[],
  radius: number,
): Float64Array {
  const distances = means.map((mean) => distance(mean, centre));
  const most = radius * median(distances);
  const next = centre.slice();
  for (const [at, mean] of means.entries()) {
    const far = distances[at]!;
    // What is no number is no contribution.
    if (!Number.isFinite(far)) continue;
    const share = shares[at]! * (far > most ? most / far : 1);
    for (let i = 0; i < next.length; i += 1) next[i]! += share * (mean[i]! - centre[i]!);
  }
  return next;
}

function distance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}

function medians(rows: readonly Float64Array[]): Float64Array {
  const length = rows[0]?.length ?? 0;
  return Float64Array.from({ length }, (_, at) => median(rows.map((row) => row[at]!)));
}

/** What is not a number lies beyond all numbers. */
function median(values: readonly number[]): number {
  const sorted = values
    .map((value) => (Number.isNaN(value) ? Infinity : value))
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const upper = Math.floor(sorted.length / 2);
  const lower = Math.floor((sorted.length - 1) / 2);
  return lower === upper ? sorted[upper]! : (sorted[lower]! + sorted[upper]!) / 2;
}
