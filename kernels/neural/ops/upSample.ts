// Enlarges images by whole factors, by repeating pixels or linearly between them, as tfjs's UpSampling2D (corners not
// aligned, pixels' upper left corners on the grid); and the gradients, gathered.

import type { KernelContext, KernelPlan } from '../kernelCall.ts';
import type { ImageFormula } from './imageOp.ts';
import { imageOp, imagePlan } from './imageOp.ts';
import type { Pair2d } from '../imageShapes.ts';
import { float, readVectors } from './vectors.ts';

export interface UpSampleShape {
  readonly input: Pair2d;
  readonly factor: Pair2d;
  readonly channels: number;
  readonly interpolation: 'bilinear' | 'nearest';
}

const sizeOf = ({ input, factor }: UpSampleShape): Pair2d => ({
  height: input.height * factor.height,
  width: input.width * factor.width,
});

function shapeName({ input, factor }: UpSampleShape): string {
  return `${input.height}×${input.width} ×${factor.height},${factor.width}`;
}

function nearest({ input, factor, ...shape }: UpSampleShape): ImageFormula {
  return {
    name: `upSampleNearest ${shapeName({ input, factor, ...shape })}`,
    storage: [readVectors('input')],
    body: `
  let iy = y / ${factor.height}u;
  let ix = x / ${factor.width}u;
  value = input[((example * ${input.height}u + iy) * ${input.width}u + ix) * vectors + column];`,
    evaluate: (arrays) => (example, y, x, channel) => {
      const pixel =
        (example * input.height + Math.floor(y / factor.height)) * input.width + Math.floor(x / factor.width);
      return arrays['input']![pixel * shape.channels + channel]!;
    },
  };
}

function bilinear(shape: UpSampleShape): ImageFormula {
  const { input, factor, channels } = shape;
  const pixel = (y: string, x: string) =>
    `input[((example * ${input.height}u + ${y}) * ${input.width}u + ${x}) * vectors + column]`;
  return {
    name: `upSampleBilinear ${shapeName(shape)}`,
    storage: [readVectors('input')],
    body: `
  let top = y / ${factor.height}u;
  let left = x / ${factor.width}u;
  let bottom = min(top + 1u, ${input.height - 1}u);
  let right = min(left + 1u, ${input.width - 1}u);
  let down = f32(y % ${factor.height}u) / ${float(factor.height)};
  let along = f32(x % ${factor.width}u) / ${float(factor.width)};
  let upper = ${pixel('top', 'left')} * (1.0f - along) + ${pixel('top', 'right')} * along;
  let lower = ${pixel('bottom', 'left')} * (1.0f - along) + ${pixel('bottom', 'right')} * along;
  value = upper * (1.0f - down) + lower * down;`,
    evaluate: (arrays) => (example, y, x, channel) => {
      const at = (iy: number, ix: number) =>
        arrays['input']![((example * input.height + iy) * input.width + ix) * channels + channel]!;
      const top = Math.floor(y / factor.height);
      const left = Math.floor(x / factor.width);
      const bottom = Math.min(top + 1, input.height - 1);
      const right = Math.min(left + 1, input.width - 1);
      const down = (y % factor.height) / factor.height;
      const along = (x % factor.width) / factor.width;
      const upper = at(top, left) * (1 - along) + at(top, right) * along;
      return upper * (1 - down) + (at(bottom, left) * (1 - along) + at(bottom, right) * along) * down;
    },
  };
}

/** How much of output `o` along an axis comes from input `i`. */
function share(i: number, o: number, factor: number, size: number): number {
  const before = Math.floor(o / factor);
  const along = (o % factor) / factor;
  return (before === i ? 1 - along : 0) + (Math.min(before + 1, size - 1) === i ? along : 0);
}

function gradientFormula(shape: UpSampleShape, accumulate: boolean): ImageFormula {
  const { input, factor, channels, interpolation } = shape;
  const output = sizeOf(shape);
  const linear = interpolation === 'bilinear';
  // Linearly, a pixel also reaches into the outputs of the one before it.
  const reach = linear ? 1 : 0;
  const first = (at: string, size: number) =>
    linear ? `(max(${at}, 1u) - 1u) * ${size}u` : `${at} * ${size}u`;
  const weight = linear
    ? `share(y, oy, ${factor.height}u, ${input.height}u) * share(x, ox, ${factor.width}u, ${input.width}u) * `
    : '';
  return {
    name: `upSampleGradient ${interpolation} ${shapeName(shape)}`,
    storage: [readVectors('gradient')],
    accumulate,
    body: `
  for (var oy = ${first('y', factor.height)}; oy < (y + 1u) * ${factor.height}u; oy++) {
    for (var ox = ${first('x', factor.width)}; ox < (x + 1u) * ${factor.width}u; ox++) {
      let at = ((example * ${output.height}u + oy) * ${output.width}u + ox) * vectors + column;
      value += ${weight}gradient[at];
    }
  }`,
    evaluate: (arrays) => (example, y, x, channel) => {
      let sum = 0;
      for (let oy = Math.max(0, y - reach) * factor.height; oy < (y + 1) * factor.height; oy += 1) {
        for (let ox = Math.max(0, x - reach) * factor.width; ox < (x + 1) * factor.width; ox += 1) {
          const part = linear
            ? share(y, oy, factor.height, input.height) * share(x, ox, factor.width, input.width)
            : 1;
          const at = ((example * output.height + oy) * output.width + ox) * channels + channel;
          sum += part * arrays['gradient']![at]!;
        }
      }
      return sum;
    },
  };
}

const shareWgsl = `
fn share(i: u32, o: u32, factor: u32, size: u32) -> f32 {
  let before = o / factor;
  let along = f32(o % factor) / f32(factor);
  return select(0.0f, 1.0f - along, before == i) + select(0.0f, along, min(before + 1u, size - 1u) == i);
}`;

/** Buffers: input, output. */
export function upSample(
  context: KernelContext,
  shape: UpSampleShape,
  buffers: Readonly<Record<string, string>>,
): KernelPlan {
  const formula = shape.interpolation === 'nearest' ? nearest(shape) : bilinear(shape);
  const op = imageOp(formula, sizeOf(shape), shape.channels);
  return imagePlan(context, 'forward', op, sizeOf(shape), shape.channels, buffers, 1);
}

/** Buffers: gradient (of the output), output (the gradient of the input). */
export function upSampleGradient(
  context: KernelContext,
  shape: UpSampleShape,
  buffers: Readonly<Record<string, string>>,
  accumulate: boolean,
): KernelPlan {
  const plain = imageOp(gradientFormula(shape, accumulate), shape.input, shape.channels);
  const op = { ...plain, declarations: `${plain.declarations}\n${shareWgsl}` };
  const reads = shape.factor.height * shape.factor.width;
  return imagePlan(context, 'backward', op, shape.input, shape.channels, buffers, reads);
}
