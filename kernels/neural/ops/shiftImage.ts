// Copies an image into one of another size, moved, with zeros where it does not reach: zero padding, and the crop that
// is its gradient.

import type { ShiftShape } from '../imageShapes.ts';
import type { KernelContext, KernelPlan, Phase } from '../kernelCall.ts';
import { shiftKernel } from '../jobs/poolJobs.ts';
import type { ImageFormula } from './imageOp.ts';
import { imageOp, imagePlan } from './imageOp.ts';
import { readVectors } from './vectors.ts';

function formula(shape: ShiftShape, accumulate: boolean): ImageFormula {
  const { input, down, right, channels } = shape;
  return {
    name: `shiftImage ${input.height}×${input.width} ${down},${right}`,
    storage: [readVectors('input')],
    accumulate,
    // Before the image the sum wraps around to a large number.
    body: `
  let iy = y - ${down < 0 ? `bitcast<u32>(i32(${down}))` : `${down}u`};
  let ix = x - ${right < 0 ? `bitcast<u32>(i32(${right}))` : `${right}u`};
  if (iy < ${input.height}u && ix < ${input.width}u) {
    value = input[((example * ${input.height}u + iy) * ${input.width}u + ix) * vectors + column];
  }`,
    evaluate: (arrays) => (example, y, x, channel) => {
      const iy = y - down;
      const ix = x - right;
      if (iy < 0 || iy >= input.height || ix < 0 || ix >= input.width) return 0;
      return arrays['input']![((example * input.height + iy) * input.width + ix) * channels + channel]!;
    },
    wasm: shiftKernel(shape, accumulate),
  };
}

/** Buffers: input, output. */
export function shiftImage(
  context: KernelContext,
  phase: Phase,
  shape: ShiftShape,
  buffers: Readonly<Record<string, string>>,
  accumulate: boolean,
): KernelPlan {
  const op = imageOp(formula(shape, accumulate), shape.output, shape.channels);
  return imagePlan(context, phase, op, shape.output, shape.channels, buffers, 1);
}
