// Maxima and averages over windows; a global pool is one whose window is the whole image. Maxima remember which pixel
// won, so that the gradient gathers instead of comparing again.

import type { PoolShape } from '../imageShapes.ts';
import type { KernelContext, KernelPlan } from '../kernelCall.ts';
import { poolGradientKernel, poolKernel } from '../jobs/poolJobs.ts';
import type { ImageFormula } from './imageOp.ts';
import { imageOp, imagePlan } from './imageOp.ts';
import { readVectors } from './vectors.ts';

function poolName(p: PoolShape): string {
  return `${p.input.height}×${p.input.width} k${p.window.height}×${p.window.width} s${p.strides.height},${p.strides.width} p${p.padTop},${p.padLeft}`;
}

/** Runs `visit` for each pixel (iy, ix) of the window at (y, x) that lies in the image. */
function windowWgsl(p: PoolShape, visit: string): string {
  return `
  for (var ky = 0u; ky < ${p.window.height}u; ky++) {
    // Above the image this wraps around to a large number.
    let iy = y * ${p.strides.height}u + ky - ${p.padTop}u;
    if (iy >= ${p.input.height}u) { continue; }
    for (var kx = 0u; kx < ${p.window.width}u; kx++) {
      let ix = x * ${p.strides.width}u + kx - ${p.padLeft}u;
      if (ix >= ${p.input.width}u) { continue; }
${visit}
    }
  }`;
}

function visitWindow(p: PoolShape, y: number, x: number, visit: (iy: number, ix: number) => void): void {
  const top = y * p.strides.height - p.padTop;
  const left = x * p.strides.width - p.padLeft;
  const bottom = Math.min(top + p.window.height, p.input.height);
  const right = Math.min(left + p.window.width, p.input.width);
  for (let iy = Math.max(0, top); iy < bottom; iy += 1) {
    for (let ix = Math.max(0, left); ix < right; ix += 1) visit(iy, ix);
  }
}

/** Runs `visit` for each output (oy, ox) whose window holds the pixel (y, x). */
function coveringWgsl(p: PoolShape, visit: string): string {
  return `
  let down = y + ${p.padTop}u;
  let right = x + ${p.padLeft}u;
  let firstY = (max(down, ${p.window.height - 1}u) - ${p.window.height - 1}u + ${p.strides.height - 1}u) / ${p.strides.height}u;
  let firstX = (max(right, ${p.window.width - 1}u) - ${p.window.width - 1}u + ${p.strides.width - 1}u) / ${p.strides.width}u;
  for (var oy = firstY; oy <= min(down / ${p.strides.height}u, ${p.output.height - 1}u); oy++) {
    for (var ox = firstX; ox <= min(right / ${p.strides.width}u, ${p.output.width - 1}u); ox++) {
      let at = ((example * ${p.output.height}u + oy) * ${p.output.width}u + ox) * vectors + column;
${visit}
    }
  }`;
}

function visitCovering(p: PoolShape, y: number, x: number, visit: (oy: number, ox: number) => void): void {
  const down = y + p.padTop;
  const right = x + p.padLeft;
  const lastY = Math.min(Math.floor(down / p.strides.height), p.output.height - 1);
  const lastX = Math.min(Math.floor(right / p.strides.width), p.output.width - 1);
  const firstY = Math.ceil(Math.max(0, down - p.window.height + 1) / p.strides.height);
  const firstX = Math.ceil(Math.max(0, right - p.window.width + 1) / p.strides.width);
  for (let oy = firstY; oy <= lastY; oy += 1) for (let ox = firstX; ox <= lastX; ox += 1) visit(oy, ox);
}

const inputAt = (p: PoolShape) =>
  `((example * ${p.input.height}u + iy) * ${p.input.width}u + ix) * vectors + column`;

/** @param remembers which pixels won, for the gradient. */
function maxForward(p: PoolShape, remembers: boolean): ImageFormula {
  return {
    name: `maxPool ${poolName(p)}${remembers ? '' : ' values'}`,
    storage: [
      readVectors('input'),
      ...(remembers ? [{ name: 'winners', type: 'array<U>', access: 'read_write' } as const] : []),
    ],
    // NaN wins and stays: comparisons with it are false, so it is asked for by its bits.
    body: `
  var winner = U(0u);
  var none = true;
${windowWgsl(
  p,
  `
      let candidate = input[${inputAt(p)}];
      let wins = (candidate > value) | (bitcast<U>(abs(candidate)) > U(0x7f800000u)) | B(none);
      value = select(value, candidate, wins);
      winner = select(winner, U(iy * ${p.input.width}u + ix), wins);
      none = false;`,
)}
${remembers ? '  winners[flat] = winner;' : ''}`,
    evaluate:
      ({ input, winners }) =>
      (example, y, x, channel, at) => {
        let value = -Infinity;
        let winner = -1;
        visitWindow(p, y, x, (iy, ix) => {
          const pixel = iy * p.input.width + ix;
          const candidate =
            input![(example * p.input.height * p.input.width + pixel) * p.channels + channel]!;
          if (winner < 0 || candidate > value || Number.isNaN(candidate)) {
            value = candidate;
            winner = pixel;
          }
        });
        if (winners) winners[at] = Math.max(0, winner);
        return winner < 0 ? 0 : value;
      },
    wasm: poolKernel('max', p, remembers),
  };
}

function maxGradient(p: PoolShape, accumulate: boolean): ImageFormula {
  return {
    name: `maxPoolGradient ${poolName(p)}`,
    storage: [readVectors('gradient'), { name: 'winners', type: 'array<U>', access: 'read' }],
    accumulate,
    body: `
  let here = U(y * ${p.input.width}u + x);
${coveringWgsl(p, '      value += select(T(0.0f), gradient[at], winners[at] == here);')}`,
    evaluate:
      ({ gradient, winners }) =>
      (example, y, x, channel) => {
        let sum = 0;
        visitCovering(p, y, x, (oy, ox) => {
          const at = ((example * p.output.height + oy) * p.output.width + ox) * p.channels + channel;
          if (winners![at] === y * p.input.width + x) sum = Math.fround(sum + gradient![at]!);
        });
        return sum;
      },
    wasm: poolGradientKernel('max', p, accumulate),
  };
}

/** Pixels of the image in the window of output `at` along one axis: padding doesn't count. */
const covered = (at: number, stride: number, pad: number, window: number, size: number): number =>
  Math.min(at * stride - pad + window, size) - Math.max(0, at * stride - pad);

function countOf(p: PoolShape, oy: number, ox: number): number {
  const rows = covered(oy, p.strides.height, p.padTop, p.window.height, p.input.height);
  return rows * covered(ox, p.strides.width, p.padLeft, p.window.width, p.input.width);
}

function averageForward(p: PoolShape): ImageFormula {
  return {
    name: `averagePool ${poolName(p)}`,
    storage: [readVectors('input')],
    body: `
  var count = 0u;
${windowWgsl(p, `      value += input[${inputAt(p)}];\n      count += 1u;`)}
  value = value / f32(max(count, 1u));`,
    evaluate:
      ({ input }) =>
      (example, y, x, channel) => {
        let sum = 0;
        visitWindow(p, y, x, (iy, ix) => {
          const at = ((example * p.input.height + iy) * p.input.width + ix) * p.channels + channel;
          sum = Math.fround(sum + input![at]!);
        });
        return sum / Math.max(1, countOf(p, y, x));
      },
    wasm: poolKernel('average', p, false),
  };
}

function averageGradient(p: PoolShape, accumulate: boolean): ImageFormula {
  const extent = (axis: 'height' | 'width', at: string, pad: number) => {
    const start = `i32(${at} * ${p.strides[axis]}u) - ${pad}`;
    return `(min(${start} + ${p.window[axis]}, ${p.input[axis]}) - max(${start}, 0))`;
  };
  return {
    name: `averagePoolGradient ${poolName(p)}`,
    storage: [readVectors('gradient')],
    accumulate,
    body: coveringWgsl(
      p,
      `      value += gradient[at] / f32(${extent('height', 'oy', p.padTop)} * ${extent('width', 'ox', p.padLeft)});`,
    ),
    evaluate:
      ({ gradient }) =>
      (example, y, x, channel) => {
        let sum = 0;
        visitCovering(p, y, x, (oy, ox) => {
          const at = ((example * p.output.height + oy) * p.output.width + ox) * p.channels + channel;
          sum = Math.fround(sum + Math.fround(gradient![at]! / countOf(p, oy, ox)));
        });
        return sum;
      },
    wasm: poolGradientKernel('average', p, accumulate),
  };
}

/** Buffers: input, output; of maxima also winners, a u32 an output, where there is a gradient to come. */
export function pool(
  context: KernelContext,
  kind: 'average' | 'max',
  shape: PoolShape,
  buffers: Readonly<Record<string, string>>,
): KernelPlan {
  const formula = kind === 'max' ? maxForward(shape, 'winners' in buffers) : averageForward(shape);
  const op = imageOp(formula, shape.output, shape.channels);
  const { height, width } = shape.window;
  return imagePlan(context, 'forward', op, shape.output, shape.channels, buffers, height * width);
}

/** Buffers: gradient (of the output), output (the gradient of the input); of maxima also winners. */
export function poolGradient(
  context: KernelContext,
  kind: 'average' | 'max',
  shape: PoolShape,
  buffers: Readonly<Record<string, string>>,
  accumulate: boolean,
): KernelPlan {
  const formula = kind === 'max' ? maxGradient(shape, accumulate) : averageGradient(shape, accumulate);
  const op = imageOp(formula, shape.input, shape.channels);
  return imagePlan(context, 'backward', op, shape.input, shape.channels, buffers, kind === 'max' ? 2 : 1);
}
