// Depthwise convolutions of one filter a channel, and their gradients, in f32 and to the bits of WebAssembly.

import type { OpInputs } from '../../gpu/op.ts';
import type { ConvolutionShape, FusedActivation } from '../convolution.ts';
import { examplesOf, floatsOf } from '../kernelCall.ts';
import { activate } from './convolutionReference.ts';

type Reference = (inputs: OpInputs) => void;

const f = Math.fround;

export function isDepthwise({ groups, inputChannels, filters }: ConvolutionShape): boolean {
  return groups > 1 && groups === inputChannels && filters === inputChannels;
}

/** Arrays: input, kernel, bias (where there is one), output. */
export function depthwiseForward(
  s: ConvolutionShape,
  hasBias: boolean,
  activation: FusedActivation,
): Reference {
  const channels = s.inputChannels;
  return (inputs) => {
    const input = floatsOf(inputs, 'input');
    const kernel = floatsOf(inputs, 'kernel');
    const bias = hasBias ? floatsOf(inputs, 'bias') : new Float32Array(channels);
    const output = floatsOf(inputs, 'output');
    const positions = examplesOf(inputs) * s.outputHeight * s.outputWidth;
    for (let position = 0, at = 0; position < positions; position += 1) {
      const line = Math.floor(position / s.outputWidth);
      const example = Math.floor(line / s.outputHeight);
      const top = (line % s.outputHeight) * s.strideHeight - s.padTop;
      const left = (position % s.outputWidth) * s.strideWidth - s.padLeft;
      for (let channel = 0; channel < channels; channel += 1, at += 1) {
        let sum = bias[channel]!;
        for (let ky = 0; ky < s.kernelHeight; ky += 1) {
          const y = top + ky * s.dilationHeight;
          if (y < 0 || y >= s.inputHeight) continue;
          for (let kx = 0; kx < s.kernelWidth; kx += 1) {
            const x = left + kx * s.dilationWidth;
            if (x < 0 || x >= s.inputWidth) continue;
            const from = ((example * s.inputHeight + y) * s.inputWidth + x) * channels + channel;
            sum = f(sum + f(input[from]! * kernel[(ky * s.kernelWidth + kx) * channels + channel]!));
          }
        }
        output[at] = activate(activation, sum);
      }
    }
  };
}

/** Arrays: outputGradient, kernel, inputGradient. */
export function depthwiseInputGradient(s: ConvolutionShape, accumulate: boolean): Reference {
  const channels = s.inputChannels;
  return (inputs) => {
    const gradient = floatsOf(inputs, 'outputGradient');
    const kernel = floatsOf(inputs, 'kernel');
    const result = floatsOf(inputs, 'inputGradient');
    const positions = examplesOf(inputs) * s.inputHeight * s.inputWidth;
    for (let position = 0, at = 0; position < positions; position += 1) {
      const line = Math.floor(position / s.inputWidth);
      const example = Math.floor(line / s.inputHeight);
      const down = (line % s.inputHeight) + s.padTop;
      const right = (position % s.inputWidth) + s.padLeft;
      for (let channel = 0; channel < channels; channel += 1, at += 1) {
        let sum = accumulate ? result[at]! : 0;
        for (let ky = 0; ky < s.kernelHeight; ky += 1) {
          const y = (down - ky * s.dilationHeight) / s.strideHeight;
          if (y < 0 || !Number.isInteger(y) || y >= s.outputHeight) continue;
          for (let kx = 0; kx < s.kernelWidth; kx += 1) {
            const x = (right - kx * s.dilationWidth) / s.strideWidth;
            if (x < 0 || !Number.isInteger(x) || x >= s.outputWidth) continue;
            const from = ((example * s.outputHeight + y) * s.outputWidth + x) * channels + channel;
            sum = f(sum + f(gradient[from]! * kernel[(ky * s.kernelWidth + kx) * channels + channel]!));
          }
        }
        result[at] = sum;
      }
    }
  };
}

/** Arrays: input, outputGradient, parts [part][tap][channel]. A row's positions are added up, then the rows. */
export function depthwiseParts(s: ConvolutionShape, rowsPerPart: number): Reference {
  const channels = s.inputChannels;
  const taps = s.kernelHeight * s.kernelWidth;
  return (inputs) => {
    const input = floatsOf(inputs, 'input');
    const gradient = floatsOf(inputs, 'outputGradient');
    const parts = floatsOf(inputs, 'parts');
    const rows = examplesOf(inputs) * s.outputHeight;
    const used = Math.ceil(rows / rowsPerPart);
    parts.fill(0, 0, used * taps * channels);
    const sums = new Float32Array(channels);
    for (let row = 0; row < rows; row += 1) {
      const example = Math.floor(row / s.outputHeight);
      const top = (row % s.outputHeight) * s.strideHeight - s.padTop;
      for (let tap = 0; tap < taps; tap += 1) {
        const y = top + Math.floor(tap / s.kernelWidth) * s.dilationHeight;
        if (y < 0 || y >= s.inputHeight) continue;
        sums.fill(0);
        for (let column = 0; column < s.outputWidth; column += 1) {
          const x = column * s.strideWidth - s.padLeft + (tap % s.kernelWidth) * s.dilationWidth;
          if (x < 0 || x >= s.inputWidth) continue;
          const from = ((example * s.inputHeight + y) * s.inputWidth + x) * channels;
          const by = (row * s.outputWidth + column) * channels;
          for (let c = 0; c < channels; c += 1) sums[c]! += f(input[from + c]! * gradient[by + c]!);
        }
        const to = (Math.floor(row / rowsPerPart) * taps + tap) * channels;
        for (let c = 0; c < channels; c += 1) parts[to + c]! += sums[c]!;
      }
    }
  };
}
