// What the compiler asks of an implementation of convolutions. A dense layer is a 1×1 convolution over images of 1×1
// (or of as many positions as it has). Depthwise is a convolution with as many groups as channels: the kernel's layout
// in memory, [h, w, channels, multiplier], is that of [h, w, 1, channels · multiplier].

import type { KernelContext, KernelPlan } from './kernelCall.ts';

export interface ConvolutionShape {
  readonly inputHeight: number;
  readonly inputWidth: number;
  readonly inputChannels: number;
  readonly outputHeight: number;
  readonly outputWidth: number;
  readonly filters: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  /** Rows and columns of zeros before the image; what is after it follows from the output's size. */
  readonly padTop: number;
  readonly padLeft: number;
  readonly groups: number;
}

/** Activations that a convolution may end with: all that need no neighbour and whose gradient follows from the output. */
export type FusedActivation = 'none' | 'relu' | 'relu6';

export interface ConvolutionContext extends KernelContext {
  readonly shape: ConvolutionShape;
}

/** All images are [examples, height, width, channels], kernels [height, width, input channels / groups, filters]. */
export interface ConvolutionKernels {
  /** output = activation(input ⊛ kernel + bias). Names of program buffers. */
  readonly forward: (
    context: ConvolutionContext,
    buffers: {
      readonly input: string;
      readonly kernel: string;
      readonly bias?: string;
      readonly output: string;
    },
    activation: FusedActivation,
  ) => KernelPlan;
  /** inputGradient = (or, with `accumulate`, +=) the gradient of `input`; its 0 rows and columns where none reach. */
  readonly inputGradient: (
    context: ConvolutionContext,
    buffers: { readonly outputGradient: string; readonly kernel: string; readonly inputGradient: string },
    accumulate: boolean,
  ) => KernelPlan;
  /** kernelGradient += the gradient of `kernel`, summed over examples in an order that is fixed. */
  readonly weightGradient: (
    context: ConvolutionContext,
    buffers: { readonly input: string; readonly outputGradient: string; readonly kernelGradient: string },
  ) => KernelPlan;
}
