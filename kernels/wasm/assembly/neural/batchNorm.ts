// Batch normalization with known statistics, and the gradient of its input (kernels/neural/ops/batchNorm.ts).

import { ROW_FLOATS_TOGETHER } from './kernelNumbers';
import { put, value } from './lanes';
import { float, uint } from './parameters';

@inline
function normalized<Lanes>(
  input: usize,
  output: usize,
  residual: usize,
  moments: usize,
  inverses: usize,
  gamma: usize,
  beta: usize,
  relu: bool,
  place: usize,
): void {
  let scale = value<Lanes>(inverses + place);
  if (gamma !== 0) scale = f32x4.mul(scale, value<Lanes>(gamma + place));
  let y = f32x4.mul(f32x4.sub(value<Lanes>(input + place), value<Lanes>(moments + place)), scale);
  if (beta !== 0) y = f32x4.add(y, value<Lanes>(beta + place));
  if (residual !== 0) y = f32x4.add(y, value<Lanes>(residual + place));
  if (relu) y = v128.andnot(y, f32x4.lt(y, f32x4.splat(0)));
  put<Lanes>(output + place, y);
}

/** Rows of a task. */
@inline
function rowsTogether(columns: u32): u32 {
  return max<u32>(1, ROW_FLOATS_TOGETHER / columns);
}

/** Parameters: input, moments, output, gamma, beta, residual (or 0), whether relu, columns, rows. */
export function batchNorm(parameters: usize, task: u32): void {
  const columns = uint(parameters, 7);
  const together = rowsTogether(columns);
  const first = task * together;
  const end = min(uint(parameters, 8), first + together);
  const bytes = <usize>columns << 2;
  const vectors = bytes & ~15;
  const moments = <usize>uint(parameters, 1);
  const inverses = moments + bytes;
  const gamma = <usize>uint(parameters, 3);
  const beta = <usize>uint(parameters, 4);
  const relu = uint(parameters, 6) !== 0;
  const start = <usize>first * bytes;
  let input = <usize>uint(parameters, 0) + start;
  let output = <usize>uint(parameters, 2) + start;
  let residual = <usize>uint(parameters, 5);
  const step = residual === 0 ? <usize>0 : bytes;
  if (residual !== 0) residual += start;
  for (let row = first; row < end; row += 1) {
    let place: usize = 0;
    for (; place < vectors; place += 16) {
      normalized<v128>(input, output, residual, moments, inverses, gamma, beta, relu, place);
    }
    for (; place < bytes; place += 4) {
      normalized<f32>(input, output, residual, moments, inverses, gamma, beta, relu, place);
    }
    input += bytes;
    output += bytes;
    residual += step;
  }
}

@inline
function gradientOf<Lanes>(
  x: usize,
  y: usize,
  gradient: usize,
  target: usize,
  moments: usize,
  sums: usize,
  gamma: usize,
  stride: usize,
  over: v128,
  place: usize,
): void {
  let g = value<Lanes>(gradient + place);
  if (y !== 0) g = v128.andnot(g, f32x4.le(value<Lanes>(y + place), f32x4.splat(0)));
  const inverse = value<Lanes>(moments + stride + place);
  let scale = inverse;
  if (gamma !== 0) scale = f32x4.mul(scale, value<Lanes>(gamma + place));
  let dx = g;
  if (sums !== 0) {
    const away = f32x4.mul(f32x4.sub(value<Lanes>(x + place), value<Lanes>(moments + place)), inverse);
    const along = f32x4.mul(away, value<Lanes>(sums + stride + place));
    dx = f32x4.sub(g, f32x4.div(f32x4.add(value<Lanes>(sums + place), along), over));
  }
  dx = f32x4.mul(scale, dx);
  if (target !== 0) {
    put<Lanes>(gradient + place, g);
    put<Lanes>(target + place, dx);
  } else put<Lanes>(gradient + place, dx);
}

/**
 * Parameters: x, moments, sums (0 where the statistics don't move), gradient, gamma, y, gradient of the input (0 in place), columns,
 * rows, rows that the statistics are over (0: in the third row of the sums).
 */
export function batchNormGradient(parameters: usize, task: u32): void {
  const columns = uint(parameters, 7);
  const together = rowsTogether(columns);
  const first = task * together;
  const end = min(uint(parameters, 8), first + together);
  const bytes = <usize>columns << 2;
  const vectors = bytes & ~15;
  const moments = <usize>uint(parameters, 1);
  const sums = <usize>uint(parameters, 2);
  const gamma = <usize>uint(parameters, 4);
  let count = float(parameters, 9);
  if (count === 0) count = load<f32>(sums + 2 * bytes);
  const over = f32x4.splat(count);
  const start = <usize>first * bytes;
  let x = <usize>uint(parameters, 0) + start;
  let gradient = <usize>uint(parameters, 3) + start;
  let y = <usize>uint(parameters, 5);
  const stepY = y === 0 ? <usize>0 : bytes;
  if (y !== 0) y += start;
  let target = <usize>uint(parameters, 6);
  const stepTarget = target === 0 ? <usize>0 : bytes;
  if (target !== 0) target += start;
  for (let row = first; row < end; row += 1) {
    let place: usize = 0;
    for (; place < vectors; place += 16) {
      gradientOf<v128>(x, y, gradient, target, moments, sums, gamma, bytes, over, place);
    }
    for (; place < bytes; place += 4) {
      gradientOf<f32>(x, y, gradient, target, moments, sums, gamma, bytes, over, place);
    }
    x += bytes;
    gradient += bytes;
    y += stepY;
    target += stepTarget;
  }
}
