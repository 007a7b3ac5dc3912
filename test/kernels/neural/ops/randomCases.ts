// Ops of random shapes: sizes around those that kernels take together, and whatever else comes.

import type { Pair2d, PoolShape } from '../../../../kernels/neural/imageShapes.ts';
import { directConvolution } from '../../../../kernels/neural/ops/convolutionDirect.ts';
import { pool, poolGradient } from '../../../../kernels/neural/ops/pooling.ts';
import type { ConvolutionCase } from '../product/convolutionCases.ts';
import { convolutionCases, groupedCases, shapeOf } from '../product/convolutionCases.ts';
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

function drawnDepthwise(k: number): ConvolutionCase {
  const kernel = [between(1, 4), between(1, 4)] as const;
  const padding = [between(0, 2), between(0, 2), between(0, 2), between(0, 2)] as const;
  const strides = [between(1, 3), between(1, 3)] as const;
  const dilations = [between(1, 2), between(1, 2)] as const;
  const size = [between(7, 11), between(7, 11)] as const;
  const groups = between(2, 21);
  const sides = { size, channels: [groups, groups], kernel, strides, dilations, padding, groups } as const;
  return {
    title: `depthwise ${k}: ${JSON.stringify(sides)}`,
    shape: shapeOf(sides),
    examples: between(1, 4),
  };
}

function poolOps(k: number): OpCase[] {
  const sides = (): Pair2d => ({ height: between(1, 4), width: between(1, 4) });
  const [window, strides] = [sides(), sides()];
  const [padTop, padLeft] = [between(0, window.height - 1), between(0, window.width - 1)];
  const input = { height: between(4, 11), width: between(4, 11) };
  const output = {
    height: Math.floor((input.height + padTop - window.height) / strides.height) + between(1, 2),
    width: Math.floor((input.width + padLeft - window.width) / strides.width) + between(1, 2),
  };
  const shape: PoolShape = { input, output, channels: between(1, 9), window, strides, padTop, padLeft };
  const examples = between(1, 3);
  const [x, y] = [input, output].map(({ height, width }) => examples * height * width * shape.channels);
  const winners = { length: y!, type: 'u32', below: input.height * input.width } as const;
  const buffers = { x: x!, y: y!, winners };
  return (['average', 'max'] as const).flatMap((kind): OpCase[] => {
    const more = kind === 'max' ? { winners: 'winners' } : {};
    const given = { maxExamples: examples, buffers };
    const title = `${kind} pool ${k}: ${JSON.stringify(shape)}`;
    return [
      {
        title,
        ...given,
        poisoned: 'x',
        plan: (context) => pool(context, kind, shape, { input: 'x', output: 'y', ...more }),
      },
      ...[false, true].map((adds): OpCase => ({
        title: `${title}, gradient${adds ? ' added' : ''}`,
        ...given,
        poisoned: 'y',
        plan: (context) => poolGradient(context, kind, shape, { gradient: 'y', output: 'x', ...more }, adds),
      })),
    ];
  });
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
  ...[
    beside,
    ...convolutionCases,
    ...groupedCases,
    ...Array.from({ length: 30 }, (_, k) => drawnConvolution(k)),
    ...Array.from({ length: 12 }, (_, k) => drawnDepthwise(k)),
    ...Array.from({ length: 8 }, (_, k) => drawnDense(k)),
  ].flatMap(convolutionOps),
  ...Array.from({ length: 12 }, (_, k) => poolOps(k)).flat(),
];
