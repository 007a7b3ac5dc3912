// The three products of a layer as plans that a timer can run.

import type { ConvolutionContext, ConvolutionKernels } from '../../../kernels/neural/convolution.ts';
import type { TimedPlan } from '../../../kernels/neural/product/planTimer.ts';
import type { BenchLayer } from './layerShapes.ts';

export type ProductName = 'forward' | 'input gradient' | 'weight gradient';
export const productNames: readonly ProductName[] = ['forward', 'input gradient', 'weight gradient'];

export interface LayerPlan {
  readonly timed: TimedPlan;
  readonly flop: number;
}

export function layerPlan(
  kernels: ConvolutionKernels,
  { shape, name, examples: own }: BenchLayer,
  product: ProductName,
  batch: number,
): LayerPlan {
  const examples = own ?? batch;
  const context: ConvolutionContext = { shape, maxExamples: examples, layer: name, workspace: 'workspace' };
  const input = 4 * examples * shape.inputHeight * shape.inputWidth * shape.inputChannels;
  const output = 4 * examples * shape.outputHeight * shape.outputWidth * shape.filters;
  const kernel = 4 * shape.kernelHeight * shape.kernelWidth * shape.inputChannels * shape.filters;
  const plans = {
    forward: () => ({
      plan: kernels.forward(context, { input: 'input', kernel: 'kernel', output: 'output' }, 'none'),
      bufferBytes: { input, kernel, output },
    }),
    'input gradient': () => ({
      plan: kernels.inputGradient(
        context,
        { outputGradient: 'output', kernel: 'kernel', inputGradient: 'input' },
        false,
      ),
      bufferBytes: { input, kernel, output },
    }),
    'weight gradient': () => ({
      plan: kernels.weightGradient(context, {
        input: 'input',
        outputGradient: 'output',
        kernelGradient: 'kernel',
      }),
      bufferBytes: { input, kernel, output },
    }),
  };
  const timed = { ...plans[product](), workspace: 'workspace', examples };
  return { timed, flop: (examples * output * 2 * kernel) / (16 * examples * shape.filters) };
}
