// Quantiles of latencies from the counts of a histogram.

import { latencyBoundsS, type LatencyQuantiles } from '../../../shared/api/servingAnswers.ts';

/**
 * Within a bucket, latencies count as evenly spread; those of the last bucket as its lower bound.
 * @param counts by the buckets of `latencyBoundsS`. @returns undefined where nothing was counted.
 */
export function latencyQuantiles(counts: readonly number[]): LatencyQuantiles | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const at = (share: number): number => quantileMs(counts, share * total);
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}

function quantileMs(counts: readonly number[], rank: number): number {
  let below = 0;
  for (const [bucket, upperS] of latencyBoundsS.entries()) {
    const own = counts[bucket] ?? 0;
    if (own > 0 && below + own >= rank) {
      const lowerS = latencyBoundsS[bucket - 1] ?? 0;
      return 1_000 * (lowerS + ((upperS - lowerS) * (rank - below)) / own);
    }
    below += own;
  }
  return 1_000 * latencyBoundsS.at(-1)!;
}
