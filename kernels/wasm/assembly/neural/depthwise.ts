// Depthwise convolutions of one filter a channel, and their gradients (kernels/neural/ops/depthwiseReference.ts).
//
// Parameters: 0–2 arrays, 3 bias or 0, 4–5 size of the input, 6–7 of the output, 8 channels, 9–10 kernel, 11–12 strides, 13–14
// dilations, 15–16 padding, 17 more.

import { START_BEFORE } from './kernelNumbers';
import { put, value } from './lanes';
import { int, uint } from './parameters';

@inline
function output<Lanes>(
  parameters: usize,
  image: usize,
  kernel: usize,
  top: i32,
  left: i32,
  pixelBytes: usize,
  start: v128,
): v128 {
  const height = uint(parameters, 4);
  const width = uint(parameters, 5);
  const kernelHeight = int(parameters, 9);
  const kernelWidth = int(parameters, 10);
  const down = int(parameters, 13);
  const right = int(parameters, 14);
  let sum = start;
  for (let ky = 0; ky < kernelHeight; ky += 1) {
    // Before the image these wrap around to large numbers.
    const y = <u32>(top + ky * down);
    if (y >= height) continue;
    for (let kx = 0; kx < kernelWidth; kx += 1) {
      const x = <u32>(left + kx * right);
      if (x >= width) continue;
      const at = <usize>(y * width + x) * pixelBytes;
      const by = <usize>(ky * kernelWidth + kx) * pixelBytes;
      sum = f32x4.add(sum, f32x4.mul(value<Lanes>(image + at), value<Lanes>(kernel + by)));
    }
  }
  return sum;
}

@inline
function activated(sum: v128, activation: u32): v128 {
  if (activation === 0) return sum;
  const cut = v128.andnot(sum, f32x4.lt(sum, f32x4.splat(0)));
  if (activation === 1) return cut;
  const six = f32x4.splat(6);
  return v128.bitselect(six, cut, f32x4.gt(cut, six));
}

/** Input, kernel, output; 17 is the activation. Task: a row of the output. */
export function depthwise(parameters: usize, task: u32): void {
  const outputHeight = uint(parameters, 6);
  const outputWidth = uint(parameters, 7);
  const pixelBytes = <usize>uint(parameters, 8) << 2;
  const vectors = pixelBytes & ~15;
  const imageBytes = <usize>uint(parameters, 4) * <usize>uint(parameters, 5) * pixelBytes;
  const image = <usize>uint(parameters, 0) + <usize>(task / outputHeight) * imageBytes;
  const kernel = <usize>uint(parameters, 1);
  const bias = <usize>uint(parameters, 3);
  const activation = uint(parameters, 17);
  const top = <i32>(task % outputHeight) * int(parameters, 11) - int(parameters, 15);
  let to = <usize>uint(parameters, 2) + <usize>task * <usize>outputWidth * pixelBytes;
  for (let x: u32 = 0; x < outputWidth; x += 1) {
    const left = <i32>x * int(parameters, 12) - int(parameters, 16);
    let at: usize = 0;
    for (; at < vectors; at += 16) {
      const start = bias === 0 ? f32x4.splat(0) : v128.load(bias + at);
      const sum = output<v128>(parameters, image + at, kernel + at, top, left, pixelBytes, start);
      v128.store(to + at, activated(sum, activation));
    }
    for (; at < pixelBytes; at += 4) {
      const start = bias === 0 ? f32x4.splat(0) : v128.load32_zero(bias + at);
      const sum = output<f32>(parameters, image + at, kernel + at, top, left, pixelBytes, start);
      put<f32>(to + at, activated(sum, activation));
    }
    to += pixelBytes;
  }
}

@inline
function gathered<Lanes>(
  parameters: usize,
  gradient: usize,
  kernel: usize,
  down: i32,
  right: i32,
  pixelBytes: usize,
  start: v128,
): v128 {
  const outputHeight = int(parameters, 6);
  const outputWidth = int(parameters, 7);
  const kernelHeight = int(parameters, 9);
  const kernelWidth = int(parameters, 10);
  const strideHeight = int(parameters, 11);
  const strideWidth = int(parameters, 12);
  let sum = start;
  for (let ky = 0; ky < kernelHeight; ky += 1) {
    const y = down - ky * int(parameters, 13);
    if (y < 0 || y % strideHeight !== 0 || y / strideHeight >= outputHeight) continue;
    for (let kx = 0; kx < kernelWidth; kx += 1) {
      const x = right - kx * int(parameters, 14);
      if (x < 0 || x % strideWidth !== 0 || x / strideWidth >= outputWidth) continue;
      const at = <usize>((y / strideHeight) * outputWidth + x / strideWidth) * pixelBytes;
      const by = <usize>(ky * kernelWidth + kx) * pixelBytes;
      sum = f32x4.add(sum, f32x4.mul(value<Lanes>(gradient + at), value<Lanes>(kernel + by)));
    }
  }
  return sum;
}

/** Gradient of the output, kernel, gradient of the input; 17 is START_ZERO or START_BEFORE. Task: a row of the input. */
export function depthwiseInputGradient(parameters: usize, task: u32): void {
  const inputHeight = uint(parameters, 4);
  const inputWidth = uint(parameters, 5);
  const pixelBytes = <usize>uint(parameters, 8) << 2;
  const vectors = pixelBytes & ~15;
  const imageBytes = <usize>uint(parameters, 6) * <usize>uint(parameters, 7) * pixelBytes;
  const gradient = <usize>uint(parameters, 0) + <usize>(task / inputHeight) * imageBytes;
  const kernel = <usize>uint(parameters, 1);
  const adds = uint(parameters, 17) === START_BEFORE;
  const down = <i32>(task % inputHeight) + int(parameters, 15);
  let to = <usize>uint(parameters, 2) + <usize>task * <usize>inputWidth * pixelBytes;
  for (let x: u32 = 0; x < inputWidth; x += 1) {
    const right = <i32>x + int(parameters, 16);
    let at: usize = 0;
    for (; at < vectors; at += 16) {
      const start = adds ? v128.load(to + at) : f32x4.splat(0);
      v128.store(to + at, gathered<v128>(parameters, gradient + at, kernel + at, down, right, pixelBytes, start));
    }
    for (; at < pixelBytes; at += 4) {
      const start = adds ? v128.load32_zero(to + at) : f32x4.splat(0);
      put<f32>(to + at, gathered<f32>(parameters, gradient + at, kernel + at, down, right, pixelBytes, start));
    }
    to += pixelBytes;
  }
}

@inline
function along<Lanes>(
  image: usize,
  gradient: usize,
  first: i32,
  end: i32,
  imageStep: usize,
  pixelBytes: usize,
): v128 {
  let sum = f32x4.splat(0);
  for (let x = first; x < end; x += 1) {
    sum = f32x4.add(sum, f32x4.mul(value<Lanes>(image), value<Lanes>(gradient)));
    image += imageStep;
    gradient += pixelBytes;
  }
  return sum;
}

/**
 * Input, gradient of the output, parts [part][tap][channel]; 17 rows of the output, 18 rows of a part. Task: a tap of a part. A row's
 * positions are added up, then the rows.
 */
export function depthwiseParts(parameters: usize, task: u32): void {
  const inputHeight = int(parameters, 4);
  const inputWidth = int(parameters, 5);
  const outputHeight = int(parameters, 6);
  const outputWidth = int(parameters, 7);
  const pixelBytes = <usize>uint(parameters, 8) << 2;
  const vectors = pixelBytes & ~15;
  const kernelWidth = uint(parameters, 10);
  const taps = uint(parameters, 9) * kernelWidth;
  const strideWidth = int(parameters, 12);
  const tap = task % taps;
  const downShift = <i32>(tap / kernelWidth) * int(parameters, 13) - int(parameters, 15);
  const shift = <i32>(tap % kernelWidth) * int(parameters, 14) - int(parameters, 16);
  const rowsPerPart = uint(parameters, 18);
  const firstRow = (task / taps) * rowsPerPart;
  const endRow = min(firstRow + rowsPerPart, uint(parameters, 17));
  const to = <usize>uint(parameters, 2) + <usize>task * pixelBytes;
  memory.fill(to, 0, pixelBytes);
  const first = shift >= 0 ? 0 : (-shift + strideWidth - 1) / strideWidth;
  const end = min<i32>(outputWidth, inputWidth > shift ? (inputWidth - shift + strideWidth - 1) / strideWidth : 0);
  const step = <usize>strideWidth * pixelBytes;
  for (let row = <i32>firstRow; row < <i32>endRow; row += 1) {
    const y = (row % outputHeight) * int(parameters, 11) + downShift;
    if (y < 0 || y >= inputHeight || first >= end) continue;
    const pixel = ((row / outputHeight) * inputHeight + y) * inputWidth + first * strideWidth + shift;
    const image = <usize>uint(parameters, 0) + <usize>pixel * pixelBytes;
    const gradient = <usize>uint(parameters, 1) + <usize>(row * outputWidth + first) * pixelBytes;
    let at: usize = 0;
    for (; at < vectors; at += 16) {
      const sum = along<v128>(image + at, gradient + at, first, end, step, pixelBytes);
      v128.store(to + at, f32x4.add(v128.load(to + at), sum));
    }
    for (; at < pixelBytes; at += 4) {
      const sum = along<f32>(image + at, gradient + at, first, end, step, pixelBytes);
      put<f32>(to + at, f32x4.add(v128.load32_zero(to + at), sum));
    }
  }
}
