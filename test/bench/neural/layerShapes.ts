// The layers whose kernels are timed: those of ResNet-18 on 28 × 28 images with either stem, and square products.

import type { ConvolutionShape } from '../../../kernels/neural/convolution.ts';
import { shapeOf } from '../../kernels/neural/product/convolutionCases.ts';

export interface BenchLayer {
  readonly name: string;
  readonly shape: ConvolutionShape;
  /** For a square product: how many examples (rows) it has instead of the batch. */
  readonly examples?: number;
  /** The first layer of a net has no use for the gradient of its input. */
  readonly isFirst?: boolean;
}

function convolution(
  size: number,
  channels: readonly [number, number],
  kernel: number,
  stride: number,
  isFirst = false,
): BenchLayer {
  // "same" as tfjs pads it.
  const output = Math.ceil(size / stride);
  const total = Math.max(0, (output - 1) * stride + kernel - size);
  const before = Math.floor(total / 2);
  const padding = [before, total - before, before, total - before] as const;
  return {
    name: `conv ${size}x${size}x${channels[0]} ${kernel}x${kernel}/${stride} ${channels[1]}`,
    shape: shapeOf({
      size: [size, size],
      channels,
      kernel: [kernel, kernel],
      strides: [stride, stride],
      padding,
    }),
    isFirst,
  };
}

function product(size: number): BenchLayer {
  return {
    name: `matmul ${size}`,
    shape: shapeOf({ size: [1, 1], channels: [size, size] }),
    examples: size,
  };
}

/** ResNet-18 with its 3×3/1 stem: each shape once. */
export const smallStemLayers: readonly BenchLayer[] = [
  convolution(28, [1, 64], 3, 1, true),
  convolution(28, [64, 64], 3, 1),
  convolution(28, [64, 128], 3, 2),
  convolution(28, [64, 128], 1, 2),
  convolution(14, [128, 128], 3, 1),
  convolution(14, [128, 256], 3, 2),
  convolution(7, [256, 256], 3, 1),
  convolution(7, [256, 512], 3, 2),
  convolution(4, [512, 512], 3, 1),
];

/** Those that the 7×7/2 stem with max-pooling has instead. */
export const largeStemLayers: readonly BenchLayer[] = [
  convolution(28, [1, 64], 7, 2, true),
  convolution(7, [64, 64], 3, 1),
  convolution(4, [128, 128], 3, 1),
];

export const squareProducts = (sizes: readonly number[]): BenchLayer[] => sizes.map(product);
