// Maxima and averages over windows, their gradients, and images that are moved (kernels/neural/ops/pooling.ts, shiftImage.ts). A task
// is a row of the image that is written.
//
// Parameters of pools: 0 input or gradient, 1 output, 2 winners (0: none), 3–4 size of the input, 5–6 of the output, 7 channels,
// 8–9 window, 10–11 strides, 12–13 padding, 14 whether the output is added to.

import { put, value } from './lanes';
import { int, uint } from './parameters';

@inline
function maximum<Lanes>(
  image: usize,
  rowBytes: usize,
  pixelBytes: usize,
  top: u32,
  bottom: u32,
  left: u32,
  right: u32,
  width: u32,
  output: usize,
  winners: usize,
): void {
  let most = f32x4.splat(0);
  let winner = i32x4.splat(0);
  let none = true;
  for (let y = top; y < bottom; y += 1) {
    for (let x = left; x < right; x += 1) {
      const candidate = value<Lanes>(image + <usize>y * rowBytes + <usize>x * pixelBytes);
      const pixel = i32x4.splat(y * width + x);
      if (none) {
        most = candidate;
        winner = pixel;
        none = false;
        continue;
      }
      // NaN wins and stays.
      const wins = v128.or(f32x4.gt(candidate, most), f32x4.ne(candidate, candidate));
      most = v128.bitselect(candidate, most, wins);
      winner = v128.bitselect(pixel, winner, wins);
    }
  }
  put<Lanes>(output, most);
  if (winners !== 0) put<Lanes>(winners, winner);
}

@inline
function add<Lanes>(output: usize, sum: v128, adds: bool): void {
  put<Lanes>(output, adds ? f32x4.add(value<Lanes>(output), sum) : sum);
}

@inline
function average<Lanes>(
  image: usize,
  rowBytes: usize,
  pixelBytes: usize,
  top: u32,
  bottom: u32,
  left: u32,
  right: u32,
  output: usize,
): void {
  let sum = f32x4.splat(0);
  for (let y = top; y < bottom; y += 1) {
    for (let x = left; x < right; x += 1) {
      sum = f32x4.add(sum, value<Lanes>(image + <usize>y * rowBytes + <usize>x * pixelBytes));
    }
  }
  const count = max<i32>(1, <i32>(bottom - top) * <i32>(right - left));
  put<Lanes>(output, f32x4.div(sum, f32x4.splat(<f32>count)));
}

@inline
function poolRow(parameters: usize, task: u32, isMaximum: bool): void {
  const inputHeight = uint(parameters, 3);
  const inputWidth = uint(parameters, 4);
  const outputHeight = uint(parameters, 5);
  const outputWidth = uint(parameters, 6);
  const pixelBytes = <usize>uint(parameters, 7) << 2;
  const vectors = pixelBytes & ~15;
  const rowBytes = <usize>inputWidth * pixelBytes;
  const example = task / outputHeight;
  const image = <usize>uint(parameters, 0) + <usize>example * <usize>inputHeight * rowBytes;
  const before = <usize>task * <usize>outputWidth * pixelBytes;
  let output = <usize>uint(parameters, 1) + before;
  let winners = <usize>uint(parameters, 2);
  const winnerStep: usize = winners === 0 ? 0 : 4;
  if (winners !== 0) winners += before;
  const y = <i32>((task % outputHeight) * uint(parameters, 10)) - int(parameters, 12);
  const top = <u32>max<i32>(0, y);
  const bottom = <u32>max<i32>(<i32>top, min<i32>(y + int(parameters, 8), <i32>inputHeight));
  for (let column: u32 = 0; column < outputWidth; column += 1) {
    const x = <i32>(column * uint(parameters, 11)) - int(parameters, 13);
    const left = <u32>max<i32>(0, x);
    const right = <u32>max<i32>(<i32>left, min<i32>(x + int(parameters, 9), <i32>inputWidth));
    let at: usize = 0;
    for (; at < vectors; at += 16) {
      if (isMaximum) {
        maximum<v128>(image + at, rowBytes, pixelBytes, top, bottom, left, right, inputWidth, output, winners);
      } else average<v128>(image + at, rowBytes, pixelBytes, top, bottom, left, right, output);
      output += 16;
      winners += winnerStep * 4;
    }
    for (; at < pixelBytes; at += 4) {
      if (isMaximum) {
        maximum<f32>(image + at, rowBytes, pixelBytes, top, bottom, left, right, inputWidth, output, winners);
      } else average<f32>(image + at, rowBytes, pixelBytes, top, bottom, left, right, output);
      output += 4;
      winners += winnerStep;
    }
  }
}

export function maxPool(parameters: usize, task: u32): void {
  poolRow(parameters, task, true);
}

export function averagePool(parameters: usize, task: u32): void {
  poolRow(parameters, task, false);
}

/** Pixels of the image in the window of an output along one axis. */
@inline
function covered(at: i32, stride: i32, pad: i32, window: i32, size: i32): i32 {
  return min<i32>(at * stride - pad + window, size) - max<i32>(0, at * stride - pad);
}

@inline
function gather<Lanes>(
  parameters: usize,
  gradient: usize,
  winners: usize,
  rowBytes: usize,
  pixelBytes: usize,
  firstY: i32,
  lastY: i32,
  firstX: i32,
  lastX: i32,
  here: u32,
  output: usize,
  adds: bool,
): void {
  let sum = f32x4.splat(0);
  const place = i32x4.splat(here);
  for (let y = firstY; y <= lastY; y += 1) {
    for (let x = firstX; x <= lastX; x += 1) {
      const at = <usize>y * rowBytes + <usize>x * pixelBytes;
      let g = value<Lanes>(gradient + at);
      if (winners !== 0) g = v128.and(g, i32x4.eq(value<Lanes>(winners + at), place));
      else {
        const rows = covered(y, int(parameters, 10), int(parameters, 12), int(parameters, 8), int(parameters, 3));
        const columns = covered(x, int(parameters, 11), int(parameters, 13), int(parameters, 9), int(parameters, 4));
        g = f32x4.div(g, f32x4.splat(<f32>(rows * columns)));
      }
      sum = f32x4.add(sum, g);
    }
  }
  add<Lanes>(output, sum, adds);
}

/** The gradient of the input: what the outputs whose windows hold a pixel give it. */
export function poolGradient(parameters: usize, task: u32): void {
  const inputHeight = uint(parameters, 3);
  const inputWidth = uint(parameters, 4);
  const outputHeight = int(parameters, 5);
  const outputWidth = int(parameters, 6);
  const pixelBytes = <usize>uint(parameters, 7) << 2;
  const vectors = pixelBytes & ~15;
  const rowBytes = <usize>outputWidth * pixelBytes;
  const before = <usize>(task / inputHeight) * <usize>outputHeight * rowBytes;
  const gradient = <usize>uint(parameters, 0) + before;
  let winners = <usize>uint(parameters, 2);
  if (winners !== 0) winners += before;
  const adds = uint(parameters, 14) !== 0;
  let output = <usize>uint(parameters, 1) + <usize>task * <usize>inputWidth * pixelBytes;
  const strideY = int(parameters, 10);
  const strideX = int(parameters, 11);
  const y = <i32>(task % inputHeight);
  const down = y + int(parameters, 12);
  const lastY = min<i32>(down / strideY, outputHeight - 1);
  const firstY = (max<i32>(0, down - int(parameters, 8) + 1) + strideY - 1) / strideY;
  for (let column: u32 = 0; column < inputWidth; column += 1) {
    const right = <i32>column + int(parameters, 13);
    const lastX = min<i32>(right / strideX, outputWidth - 1);
    const firstX = (max<i32>(0, right - int(parameters, 9) + 1) + strideX - 1) / strideX;
    const here = <u32>y * inputWidth + column;
    let at: usize = 0;
    for (; at < vectors; at += 16) {
      const w = winners === 0 ? <usize>0 : winners + at;
      gather<v128>(parameters, gradient + at, w, rowBytes, pixelBytes, firstY, lastY, firstX, lastX, here, output, adds);
      output += 16;
    }
    for (; at < pixelBytes; at += 4) {
      const w = winners === 0 ? <usize>0 : winners + at;
      gather<f32>(parameters, gradient + at, w, rowBytes, pixelBytes, firstY, lastY, firstX, lastX, here, output, adds);
      output += 4;
    }
  }
}

/** Parameters: input, output, size of the input, size of the output, channels, rows and columns it is moved by, whether it is added. */
export function shiftImage(parameters: usize, task: u32): void {
  const inputHeight = int(parameters, 2);
  const inputWidth = int(parameters, 3);
  const outputHeight = uint(parameters, 4);
  const outputWidth = int(parameters, 5);
  const pixelBytes = <usize>uint(parameters, 6) << 2;
  const adds = uint(parameters, 9) !== 0;
  const output = <usize>uint(parameters, 1) + <usize>task * <usize>outputWidth * pixelBytes;
  const y = <i32>(task % outputHeight) - int(parameters, 7);
  const right = int(parameters, 8);
  const isInside = y >= 0 && y < inputHeight;
  const first = isInside ? min<i32>(outputWidth, max<i32>(0, right)) : outputWidth;
  const end = isInside ? max<i32>(first, min<i32>(outputWidth, right + inputWidth)) : outputWidth;
  const from =
    <usize>uint(parameters, 0) +
    (<usize>((task / outputHeight) * inputHeight + y) * <usize>inputWidth + <usize>(first - right)) * pixelBytes;
  const start = output + <usize>first * pixelBytes;
  const bytes = <usize>(end - first) * pixelBytes;
  if (adds) {
    const rowBytes = <usize>outputWidth * pixelBytes;
    for (let at: usize = 0; at < rowBytes; at += 4) {
      // Where the image does not reach, 0 is added.
      const away = output + at - start;
      const value = away < bytes ? load<f32>(from + away) : 0;
      store<f32>(output + at, load<f32>(output + at) + value);
    }
    return;
  }
  memory.fill(output, 0, <usize>first * pixelBytes);
  if (bytes > 0) memory.copy(start, from, bytes);
  memory.fill(output + <usize>end * pixelBytes, 0, <usize>(outputWidth - end) * pixelBytes);
}
