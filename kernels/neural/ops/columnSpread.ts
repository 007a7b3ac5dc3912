// Mean and sum of squares about it, for each column of some rows. Lanes sum differences from their first value, which keeps
// f32 exact enough where the mean is large beside the deviation; they are merged by Chan's formula (Chan, Golub & LeVeque
// 1983) in a fixed order.

import { TERMS_TOGETHER } from '../../wasm/assembly/neural/kernelNumbers.ts';
import type { ColumnBlocks } from './columnBlocks.ts';

/** `mean` and `spread` (the sum of squares about it) of the rows from `first` to `end`, for every lane of the column. */
export function spreadWgsl({ vectors, rowLanes }: ColumnBlocks): string {
  return `
  var sum = T(0.0f);
  var squares = T(0.0f);
  var origin = T(0.0f);
  var count = 0u;
  if (inside && first + rowLane < end) {
    origin = input[(first + rowLane) * ${vectors}u + column];
    for (var row = first + rowLane; row < end; row += ${rowLanes}u) {
      let difference = input[row * ${vectors}u + column] - origin;
      sum += difference;
      squares += difference * difference;
      count += 1u;
    }
  }
  let n = f32(max(count, 1u));
  let laneMean = origin + sum / n;
  let mean = addUp(lane, laneMean * f32(count)) / f32(end - first);
  let away = laneMean - mean;
  let spread = addUp(lane, (squares - sum * sum / n) + away * away * f32(count));`;
}

/** The same of every channel, in f32: sums go TERMS_TOGETHER terms at a time. */
export function spreadsOf(input: Float32Array, channels: number, first: number, end: number) {
  const means = sumsOf(input, channels, first, end, (value) => value);
  means.forEach((sum, channel) => (means[channel] = sum / (end - first)));
  const spreads = sumsOf(input, channels, first, end, (value, channel) => {
    const away = Math.fround(value - means[channel]!);
    return Math.fround(away * away);
  });
  return { means, spreads };
}

function sumsOf(
  input: Float32Array,
  channels: number,
  first: number,
  end: number,
  term: (value: number, channel: number) => number,
): Float32Array {
  const totals = new Float32Array(channels);
  const sums = new Float32Array(channels);
  for (let start = first; start < end; start += TERMS_TOGETHER) {
    sums.fill(0);
    const stop = Math.min(end, start + TERMS_TOGETHER);
    for (let i = start * channels; i < stop * channels; i += channels) {
      for (let channel = 0; channel < channels; channel += 1) {
        sums[channel]! += term(input[i + channel]!, channel);
      }
    }
    for (let channel = 0; channel < channels; channel += 1) totals[channel]! += sums[channel]!;
  }
  return totals;
}
