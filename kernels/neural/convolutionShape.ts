// Facts of a convolution's shape: its name in kernels' names, and its cost.

import type { ConvolutionShape } from './convolution.ts';
import type { KernelCost } from './kernelCall.ts';

/** Says all of the shape, in few letters. */
export function convolutionName(s: ConvolutionShape): string {
  const stride = `s${s.strideHeight},${s.strideWidth}`;
  const dilation =
    s.dilationHeight === 1 && s.dilationWidth === 1 ? '' : ` d${s.dilationHeight},${s.dilationWidth}`;
  const groups = s.groups === 1 ? '' : ` g${s.groups}`;
  const from = `${s.inputHeight}×${s.inputWidth}×${s.inputChannels}`;
  const to = `${s.outputHeight}×${s.outputWidth}×${s.filters}`;
  return `${from} k${s.kernelHeight}×${s.kernelWidth} ${stride} p${s.padTop},${s.padLeft}${dilation}${groups} ${to}`;
}

/** Of the forward pass; the two gradients cost the same. */
export function convolutionFlop(s: ConvolutionShape, examples: number): KernelCost {
  const outputs = examples * s.outputHeight * s.outputWidth * s.filters;
  const inputs = examples * s.inputHeight * s.inputWidth * s.inputChannels;
  const taps = s.kernelHeight * s.kernelWidth * (s.inputChannels / s.groups);
  return { flop: 2 * outputs * taps, bytes: 4 * (outputs + inputs + taps * s.filters) };
}
