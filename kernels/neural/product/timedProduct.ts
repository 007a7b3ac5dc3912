// One of a convolution's three products as a plan that a timer can run, with buffers of the right sizes.

import type { ConvolutionContext, ConvolutionKernels, ConvolutionShape } from '../convolution.ts';
import type { TimedPlan } from './planTimer.ts';

export type ProductName = 'forward' | 'input gradient' | 'weight gradient';

export interface TimedProduct {
  readonly timed: TimedPlan;
  readonly flop: number;
}

export function timedProduct(
  kernels: ConvolutionKernels,
  shape: ConvolutionShape,
  product: ProductName,
  examples: number,
): TimedProduct {
  const context: ConvolutionContext = {
    shape,
    maxExamples: examples,
    layer: 'timed',
    workspace: 'workspace',
  };
  const names = { input: 'input', kernel: 'kernel', output: 'output' };
  const gradients = { outputGradient: 'output', inputGradient: 'input', kernelGradient: 'kernel' };
  const plan = {
    forward: () => kernels.forward(context, names, 'none'),
    'input gradient': () => kernels.inputGradient(context, { ...names, ...gradients }, false),
    'weight gradient': () => kernels.weightGradient(context, { ...names, ...gradients }),
  }[product]();
  const kernel = shape.kernelHeight * shape.kernelWidth * shape.inputChannels * shape.filters;
  const positions = examples * shape.outputHeight * shape.outputWidth;
  const bufferBytes = {
    input: 4 * examples * shape.inputHeight * shape.inputWidth * shape.inputChannels,
    kernel: 4 * kernel,
    output: 4 * positions * shape.filters,
  };
  return { timed: { plan, bufferBytes, workspace: 'workspace', examples }, flop: 2 * positions * kernel };
}
