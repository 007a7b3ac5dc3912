// Ops of random shapes: sizes around those that kernels take together, and whatever else comes.

import { directConvolution } from '../../../../kernels/neural/ops/convolutionDirect.ts';
import type { ConvolutionCase } from '../product/convolutionCases.ts';
import { convolutionCases, shapeOf } from '../product/convolutionCases.ts';
import { seededNumbers } from '../../seededNumbers.ts';
import type { OpCase } from './opCase.ts';

function convolutionOps({ title, shape, examples }: ConvolutionCase): OpCase[] {
  const { inputChannels, filters, groups } = shape;
  const input = examples * shape.inputHeight * shape.inputWidth * inputChannels;
  const output = examples * shape.outputHeight * shape.outputWidth * filters;
  const kernel = shape.kernelHeight * shape.kernelWidth * (inputChannels / groups) * filters;
  const buffers = { input, output, kernel, bias: filters };
  const given = { maxExamples: examples, poisoned: 'input' };
  const gradients = { outputGradient: 'output', kernel: 'kernel', inputGradient: 'input' };
  return [
    ...(['none', 'relu', 'relu6'] as const).map((activation, k): OpCase => ({
      title: `${title}, ${activation}`,
      ...given,
      plan: (context) => {
        const names = { input: 'input', kernel: 'kernel', output: 'output' };
        const withBias = k === 0 ? names : { ...names, bias: 'bias' };
        return directConvolution.forward({ ...context, shape }, withBias, activation);
      },
      buffers,
    })),
    ...[false, true].map((adds): OpCase => ({
      title: `${title}, input gradient${adds ? ' added' : ''}`,
      ...given,
      poisoned: 'output',
      plan: (context) => directConvolution.inputGradient({ ...context, shape }, gradients, adds),
      buffers,
    })),
    {
      title: `${title}, kernel gradient`,
      ...given,
      plan: (context) =>
        directConvolution.weightGradient(
          { ...context, shape },
          { input: 'input', outputGradient: 'output', kernelGradient: 'kernel' },
        ),
      buffers,
    },
  ];
}

const numbers = seededNumbers(12);
const between = (least: number, most: number): number => least + numbers.below(most - least + 1);

function drawnConvolution(k: number): ConvolutionCase {
  const kernel = [between(1, 4), between(1, 4)] as const;
  const dilations = [between(1, 2), between(1, 2)] as const;
  const reach = (axis: 0 | 1): number => (kernel[axis] - 1) * dilations[axis] + 1;
  const size = [between(reach(0), 11), between(reach(1), 11)] as const;
  const padding = [between(0, 2), between(0, 2), between(0, 2), between(0, 2)] as const;
  const strides = [between(1, 3), between(1, 3)] as const;
  const channels = [between(1, 3) === 1 ? 4 * between(1, 17) : between(1, 9), between(1, 40)] as const;
  const shape = shapeOf({ size, channels, kernel, strides, dilations, padding });
  return {
    title: `convolution ${k}: ${JSON.stringify({ size, channels, kernel, strides, dilations, padding })}`,
    shape,
    examples: between(1, 4),
  };
}

function drawnDense(k: number): ConvolutionCase {
  const channels = [between(1, 600), between(1, 300)] as const;
  const examples = between(1, 70);
  return {
    title: `dense ${k}: ${channels.join(' to ')} of ${examples}`,
    shape: shapeOf({ size: [1, 1], channels }),
    examples,
  };
}

const beside: ConvolutionCase = {
  title: 'a kernel that lies beside the image at some places',
  shape: shapeOf({ size: [2, 3], channels: [3, 5], kernel: [2, 2], padding: [3, 2, 4, 2] }),
  examples: 2,
};

/** Each as forward pass and gradients. */
export const randomCases: readonly OpCase[] = [
  beside,
  ...convolutionCases,
  ...Array.from({ length: 40 }, (_, k) => drawnConvolution(k)),
  ...Array.from({ length: 12 }, (_, k) => drawnDense(k)),
].flatMap(convolutionOps);
