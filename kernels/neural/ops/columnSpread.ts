// Mean and sum of squares about it, for each column of some rows. Lanes sum differences from their first value, which keeps
// f32 exact enough where the mean is large beside the deviation; they are merged by Chan's formula (Chan, Golub & LeVeque
// 1983) in a fixed order.

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

/** The same, of every channel. */
export function spreadsOf(input: Float32Array, channels: number, first: number, end: number) {
  const means = new Float64Array(channels);
  const spreads = new Float64Array(channels);
  for (let i = first * channels; i < end * channels; i += channels) {
    for (let channel = 0; channel < channels; channel += 1) means[channel]! += input[i + channel]!;
  }
  for (let channel = 0; channel < channels; channel += 1) means[channel]! /= end - first;
  for (let i = first * channels; i < end * channels; i += channels) {
    for (let channel = 0; channel < channels; channel += 1) {
      spreads[channel]! += (input[i + channel]! - means[channel]!) ** 2;
    }
  }
  return { means, spreads };
}
