// Sums over the rows of a matrix for each column, and means with sums of squares about them, of blocks of rows
// (kernels/neural/ops/columnSums.ts, batchNormStatistics.ts). Terms go TERMS_TOGETHER at a time.

import * as k from './kernelNumbers';
import { put, value } from './lanes';
import { uint } from './parameters';

/** `Lanes` is f32 for a single column and v128 for four. */
function sumColumns<Lanes>(parameters: usize, formula: u32, column: u32, first: u32, end: u32, block: u32): void {
  const columns = uint(parameters, 6);
  const stride = <usize>columns << 2;
  const place = <usize>column << 2;
  const a = <usize>uint(parameters, 1) + place;
  const x = <usize>uint(parameters, 2) + place;
  const y = <usize>uint(parameters, 5) + place;
  let mean = f32x4.splat(0);
  let inverse = f32x4.splat(0);
  const means = <usize>uint(parameters, 3);
  const inverses = <usize>uint(parameters, 4);
  if (formula === k.BATCH_NORM_ROWS || formula === k.BATCH_NORM_RELU_ROWS) {
    mean = value<Lanes>(means + place);
    inverse = value<Lanes>(inverses + place);
  }
  const zero = f32x4.splat(0);
  let total0 = zero;
  let total1 = zero;
  for (let start = first; start < end; start += k.TERMS_TOGETHER) {
    let sum0 = zero;
    let sum1 = zero;
    const stop = min<u32>(end, start + k.TERMS_TOGETHER);
    let at = <usize>start * stride;
    for (let row = start; row < stop; row += 1) {
      let g = value<Lanes>(a + at);
      if (formula === k.SLOPE_ROWS) {
        const v = value<Lanes>(x + at);
        g = v128.andnot(f32x4.mul(g, v), f32x4.gt(v, zero));
      } else if (formula !== k.ROWS) {
        if (formula === k.BATCH_NORM_RELU_ROWS) g = v128.andnot(g, f32x4.le(value<Lanes>(y + at), zero));
        if (formula === k.LAYER_NORM_ROWS) {
          mean = v128.load32_splat(means + (<usize>row << 2));
          inverse = v128.load32_splat(inverses + (<usize>row << 2));
        }
        const away = f32x4.sub(value<Lanes>(x + at), mean);
        sum1 = f32x4.add(sum1, f32x4.mul(f32x4.mul(g, away), inverse));
      }
      sum0 = f32x4.add(sum0, g);
      at += stride;
    }
    total0 = f32x4.add(total0, sum0);
    total1 = f32x4.add(total1, sum1);
  }
  const partials = <usize>uint(parameters, 7) + <usize>block * stride + place;
  put<Lanes>(partials, total0);
  if (formula === k.ROWS || formula === k.SLOPE_ROWS) return;
  put<Lanes>(partials + <usize>uint(parameters, 10) * stride, total1);
}

/**
 * Parameters: formula, gradient, x, means, inverses (of columns or rows), y, columns, partials [term][block][column], rows, rows of
 * a block, most blocks, columns of a task, tasks of a block.
 */
export function columnSums(parameters: usize, task: u32): void {
  const formula = uint(parameters, 0);
  const rows = uint(parameters, 8);
  const rowsPerBlock = uint(parameters, 9);
  const together = uint(parameters, 11);
  const parts = uint(parameters, 12);
  const block = task / parts;
  const first = block * rowsPerBlock;
  const end = min(rows, first + rowsPerBlock);
  let column = (task % parts) * together;
  const columns = min(uint(parameters, 6), column + together);
  for (; column + 4 <= columns; column += 4) {
    sumColumns<v128>(parameters, formula, column, first, end, block);
  }
  for (; column < columns; column += 1) sumColumns<f32>(parameters, formula, column, first, end, block);
}

@inline
function moments<Lanes>(parameters: usize, column: u32, first: u32, end: u32, block: u32): void {
  const stride = <usize>uint(parameters, 1) << 2;
  const place = <usize>column << 2;
  const input = <usize>uint(parameters, 0) + place;
  const zero = f32x4.splat(0);
  const count = f32x4.splat(<f32>(end - first));
  let total = zero;
  for (let start = first; start < end; start += k.TERMS_TOGETHER) {
    let sum = zero;
    const stop = min<u32>(end, start + k.TERMS_TOGETHER);
    let at = input + <usize>start * stride;
    for (let row = start; row < stop; row += 1) {
      sum = f32x4.add(sum, value<Lanes>(at));
      at += stride;
    }
    total = f32x4.add(total, sum);
  }
  const mean = f32x4.div(total, count);
  let spread = zero;
  for (let start = first; start < end; start += k.TERMS_TOGETHER) {
    let sum = zero;
    const stop = min<u32>(end, start + k.TERMS_TOGETHER);
    let at = input + <usize>start * stride;
    for (let row = start; row < stop; row += 1) {
      const away = f32x4.sub(value<Lanes>(at), mean);
      sum = f32x4.add(sum, f32x4.mul(away, away));
      at += stride;
    }
    spread = f32x4.add(spread, sum);
  }
  const partials = <usize>uint(parameters, 2) + <usize>block * stride + place;
  put<Lanes>(partials, mean);
  put<Lanes>(partials + <usize>uint(parameters, 5) * stride, spread);
}

/** Parameters: input, columns, partials [mean, spread][block][column], rows, rows of a block, most blocks, columns of a task, tasks of a block. */
export function blockMoments(parameters: usize, task: u32): void {
  const rowsPerBlock = uint(parameters, 4);
  const together = uint(parameters, 6);
  const parts = uint(parameters, 7);
  const block = task / parts;
  const first = block * rowsPerBlock;
  const end = min(uint(parameters, 3), first + rowsPerBlock);
  let column = (task % parts) * together;
  const columns = min(uint(parameters, 1), column + together);
  for (; column + 4 <= columns; column += 4) moments<v128>(parameters, column, first, end, block);
  for (; column < columns; column += 1) moments<f32>(parameters, column, first, end, block);
}
