// Shapes at which convolutions go wrong: single pixels, sizes around a tile, odd strides, dilation, uneven padding, few
// channels, strides larger than kernels and than images.

import type { ConvolutionShape } from '../../../../kernels/neural/convolution.ts';

export interface ConvolutionCase {
  readonly title: string;
  readonly shape: ConvolutionShape;
  readonly examples: number;
}

interface Sides {
  readonly size: readonly [number, number];
  readonly channels: readonly [input: number, filters: number];
  readonly kernel?: readonly [number, number];
  readonly strides?: readonly [number, number];
  readonly dilations?: readonly [number, number];
  /** top, bottom, left, right */
  readonly padding?: readonly [number, number, number, number];
  readonly groups?: number;
}

export function shapeOf(sides: Sides): ConvolutionShape {
  const {
    size,
    channels,
    kernel = [1, 1],
    strides = [1, 1],
    dilations = [1, 1],
    padding = [0, 0, 0, 0],
    groups = 1,
  } = sides;
  const output = (axis: 0 | 1): number => {
    const padded = size[axis] + padding[2 * axis]! + padding[2 * axis + 1]!;
    return Math.floor((padded - (kernel[axis] - 1) * dilations[axis] - 1) / strides[axis]) + 1;
  };
  return {
    inputHeight: size[0],
    inputWidth: size[1],
    inputChannels: channels[0],
    outputHeight: output(0),
    outputWidth: output(1),
    filters: channels[1],
    kernelHeight: kernel[0],
    kernelWidth: kernel[1],
    strideHeight: strides[0],
    strideWidth: strides[1],
    dilationHeight: dilations[0],
    dilationWidth: dilations[1],
    padTop: padding[0],
    padLeft: padding[2],
    groups,
  };
}

function dense(title: string, examples: number, input: number, units: number): ConvolutionCase {
  return { title, examples, shape: shapeOf({ size: [1, 1], channels: [input, units] }) };
}

const same3: readonly [number, number, number, number] = [1, 1, 1, 1];

export const convolutionCases: readonly ConvolutionCase[] = [
  dense('a dense layer of 1 x 1 on 1 example', 1, 1, 1),
  dense('a dense layer of 63 x 65 on 64 examples', 64, 63, 65),
  dense('a dense layer of 64 x 64 on 257 examples', 257, 64, 64),
  dense('a dense layer of 257 x 10 on 63 examples', 63, 257, 10),
  dense('a dense layer of 300 x 4 on 1 example', 1, 300, 4),
  {
    title: 'a 3x3 kernel with padding',
    shape: shapeOf({ size: [9, 7], channels: [8, 12], kernel: [3, 3], padding: same3 }),
    examples: 2,
  },
  {
    title: 'a 3x3 kernel with stride 2 on an odd image',
    shape: shapeOf({ size: [9, 7], channels: [4, 8], kernel: [3, 3], strides: [2, 2], padding: same3 }),
    examples: 3,
  },
  {
    title: 'a 3x3 kernel with stride 2 and padding at the end alone',
    shape: shapeOf({
      size: [8, 8],
      channels: [4, 68],
      kernel: [3, 3],
      strides: [2, 2],
      padding: [0, 1, 0, 1],
    }),
    examples: 2,
  },
  {
    title: 'a 7x7 stem with stride 2 on 3 channels',
    shape: shapeOf({
      size: [15, 17],
      channels: [3, 16],
      kernel: [7, 7],
      strides: [2, 2],
      padding: [3, 3, 3, 3],
    }),
    examples: 2,
  },
  {
    title: 'a 3x3 stem on 1 channel',
    shape: shapeOf({ size: [12, 12], channels: [1, 64], kernel: [3, 3], padding: same3 }),
    examples: 2,
  },
  {
    title: 'dilation 2 by 3',
    shape: shapeOf({
      size: [11, 13],
      channels: [4, 4],
      kernel: [3, 2],
      dilations: [2, 3],
      padding: [2, 2, 1, 1],
    }),
    examples: 2,
  },
  {
    title: 'stride 3 by 2 with dilation 2 by 2, whose phases some taps never reach',
    shape: shapeOf({
      size: [13, 12],
      channels: [8, 4],
      kernel: [3, 3],
      strides: [3, 2],
      dilations: [2, 2],
      padding: [1, 0, 2, 1],
    }),
    examples: 2,
  },
  {
    title: 'a 1x1 kernel with stride 2, which reaches a quarter of the input',
    shape: shapeOf({ size: [7, 7], channels: [8, 16], strides: [2, 2] }),
    examples: 2,
  },
  {
    title: 'a stride larger than the kernel and the image',
    shape: shapeOf({ size: [2, 5], channels: [5, 6], kernel: [2, 2], strides: [4, 3] }),
    examples: 2,
  },
  {
    title: 'a kernel of 1 by 5 on channels that are no multiple of four',
    shape: shapeOf({ size: [3, 9], channels: [6, 7], kernel: [1, 5], padding: [0, 0, 2, 2] }),
    examples: 3,
  },
];

/** For kernels that take groups. */
export const groupedCases: readonly ConvolutionCase[] = [
  {
    title: 'two groups of 3 channels and 4 filters',
    shape: shapeOf({ size: [7, 6], channels: [6, 8], kernel: [3, 3], padding: same3, groups: 2 }),
    examples: 3,
  },
  {
    title: 'a depthwise kernel with a multiplier of 2 and stride 2',
    shape: shapeOf({
      size: [9, 8],
      channels: [5, 10],
      kernel: [3, 3],
      strides: [2, 2],
      padding: same3,
      groups: 5,
    }),
    examples: 2,
  },
];
