// Batch statistics over all members from those of each, as sums that can be added up in any order: of differences from
// the moving mean, which all members share, so that a large mean does not drown a small deviation.

import type { StatisticsStop } from '../compile/programBuilder.ts';

/** Counts, sums and squares: [rows, Σ(x − origin)[channel], Σ(x − origin)²[channel]]. */
function momentsToSums(moments: Float32Array, origin: Float32Array, rows: number): Float32Array<ArrayBuffer> {
  const channels = origin.length;
  const sums = new Float32Array(1 + 2 * channels);
  sums[0] = rows;
  for (let c = 0; c < channels; c += 1) {
    const away = (moments[c] ?? 0) - (origin[c] ?? 0);
    sums[1 + c] = rows * away;
    sums[1 + channels + c] = rows * ((moments[channels + c] ?? 0) + away * away);
  }
  return sums;
}

/** [mean, variance][channel] of all rows. */
function sumsToMoments(sums: Float32Array, origin: Float32Array): Float32Array<ArrayBuffer> {
  const channels = origin.length;
  const rows = sums[0] ?? 1;
  const moments = new Float32Array(2 * channels);
  for (let c = 0; c < channels; c += 1) {
    const away = (sums[1 + c] ?? 0) / rows;
    moments[c] = (origin[c] ?? 0) + away;
    moments[channels + c] = Math.max(0, (sums[1 + channels + c] ?? 0) / rows - away * away);
  }
  return moments;
}

/**
 * What replaces the values of a stop, once `reduce` has added up those of all members.
 * @param values [mean, variance][channel] forward, [Σ g, Σ g·x̂, …][channel] backward.
 */
export async function synchronizeStatistics(
  { direction, channels, rowsPerExample }: StatisticsStop,
  values: Float32Array<ArrayBuffer>,
  origin: Float32Array,
  examples: number,
  reduce: (sums: Float32Array<ArrayBuffer>) => Promise<void>,
): Promise<Float32Array<ArrayBuffer>> {
  const rows = examples * rowsPerExample;
  if (direction === 'forward') {
    // A member without examples in this microbatch has nothing to add, whatever its buffer holds.
    const own = rows === 0 ? new Float32Array(2 * channels) : values;
    const sums = momentsToSums(own, rows === 0 ? new Float32Array(channels) : origin, rows);
    await reduce(sums);
    return sumsToMoments(sums, origin);
  }
  const sums = new Float32Array(1 + 2 * channels);
  sums[0] = rows;
  if (rows > 0) sums.set(values.subarray(0, 2 * channels), 1);
  await reduce(sums);
  const result = new Float32Array(3 * channels);
  result.set(sums.subarray(1));
  result.fill(sums[0] ?? 1, 2 * channels);
  return result;
}
