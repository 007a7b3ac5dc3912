// The innermost part of all products: 4 × 8 sums stay in registers. More sums, or an unrolled loop, would not: engines spill
// them, and are slower by a third.

import { START_BEFORE, START_BIAS } from './kernelNumbers';

@inline
function finished(at: usize, bias: usize, start: u32, activation: u32, sum: v128): v128 {
  const zero = f32x4.splat(0);
  let value = zero;
  if (start === START_BIAS) value = v128.load(bias);
  else if (start === START_BEFORE) value = v128.load(at);
  value = f32x4.add(value, sum);
  if (activation !== 0) {
    // NaN is not below 0 and stays.
    value = v128.andnot(value, f32x4.lt(value, zero));
    if (activation === 2) {
      const six = f32x4.splat(6);
      value = v128.bitselect(six, value, f32x4.gt(value, six));
    }
  }
  return value;
}

/**
 * target[row][column] = activation(start + Σ left[i][row] · right[i][column]), terms added up in their order.
 * @param left [inner][4] @param right [inner][8] @param targets addresses of four rows, u32 each. @param rows of the four that are
 * there. @param columns of the eight that are there. @param bias of the first column. @param spare 32 floats.
 */
export function multiplyTile(
  left: usize,
  right: usize,
  inner: u32,
  targets: usize,
  column: u32,
  rows: u32,
  columns: u32,
  bias: usize,
  start: u32,
  activation: u32,
  spare: usize,
): void {
  let a0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  let b0 = f32x4.splat(0);
  let b1 = f32x4.splat(0);
  let c0 = f32x4.splat(0);
  let c1 = f32x4.splat(0);
  let d0 = f32x4.splat(0);
  let d1 = f32x4.splat(0);
  for (const end = right + (<usize>inner << 5); right < end; ) {
    const x = v128.load(right);
    const y = v128.load(right, 16);
    let value = v128.load32_splat(left);
    a0 = f32x4.add(a0, f32x4.mul(value, x));
    a1 = f32x4.add(a1, f32x4.mul(value, y));
    value = v128.load32_splat(left, 4);
    b0 = f32x4.add(b0, f32x4.mul(value, x));
    b1 = f32x4.add(b1, f32x4.mul(value, y));
    value = v128.load32_splat(left, 8);
    c0 = f32x4.add(c0, f32x4.mul(value, x));
    c1 = f32x4.add(c1, f32x4.mul(value, y));
    value = v128.load32_splat(left, 12);
    d0 = f32x4.add(d0, f32x4.mul(value, x));
    d1 = f32x4.add(d1, f32x4.mul(value, y));
    left += 16;
    right += 32;
  }
  const at = <usize>column << 2;
  if (rows === 4 && columns === 8) {
    let to = <usize>load<u32>(targets) + at;
    v128.store(to, finished(to, bias, start, activation, a0));
    v128.store(to, finished(to + 16, bias + 16, start, activation, a1), 16);
    to = <usize>load<u32>(targets, 4) + at;
    v128.store(to, finished(to, bias, start, activation, b0));
    v128.store(to, finished(to + 16, bias + 16, start, activation, b1), 16);
    to = <usize>load<u32>(targets, 8) + at;
    v128.store(to, finished(to, bias, start, activation, c0));
    v128.store(to, finished(to + 16, bias + 16, start, activation, c1), 16);
    to = <usize>load<u32>(targets, 12) + at;
    v128.store(to, finished(to, bias, start, activation, d0));
    v128.store(to, finished(to + 16, bias + 16, start, activation, d1), 16);
    return;
  }
  v128.store(spare, a0);
  v128.store(spare, a1, 16);
  v128.store(spare, b0, 32);
  v128.store(spare, b1, 48);
  v128.store(spare, c0, 64);
  v128.store(spare, c1, 80);
  v128.store(spare, d0, 96);
  v128.store(spare, d1, 112);
  for (let row: u32 = 0; row < rows; row += 1) {
    const to = <usize>load<u32>(targets + (<usize>row << 2)) + at;
    const from = spare + (<usize>row << 5);
    for (let k: u32 = 0; k < columns; k += 1) {
      const offset = <usize>k << 2;
      let value: f32 = 0;
      if (start === START_BIAS) value = load<f32>(bias + offset);
      else if (start === START_BEFORE) value = load<f32>(to + offset);
      value += load<f32>(from + offset);
      if (activation !== 0 && value < 0) value = 0;
      if (activation === 2 && value > 6) value = 6;
      store<f32>(to + offset, value);
    }
  }
}
