// Convolution and its gradients on the processor: the references of the GPU's kernels, and what trains where there is no
// GPU. The innermost loops run over neighbouring numbers (filters), and sums are f64.

import type { OpInputs } from '../../gpu/op.ts';
import type { ConvolutionShape, FusedActivation } from '../convolution.ts';
import { examplesOf, floatsOf } from '../kernelCall.ts';

type Reference = (inputs: OpInputs) => void;

/**
 * Calls `visit` for every pair of an output position and a tap of the kernel that meets the image, for image rows
 * `from`..`to` of the output (counted over examples).
 * @param visit offsets of the output's filters, the input's channels and the tap's weights.
 */
function visitTaps(
  s: ConvolutionShape,
  from: number,
  to: number,
  visit: (output: number, input: number, weights: number) => void,
): void {
  const tapWeights = (s.inputChannels / s.groups) * s.filters;
  for (let row = from; row < to; row += 1) {
    const example = Math.floor(row / s.outputHeight);
    const top = (row % s.outputHeight) * s.strideHeight - s.padTop;
    for (let x = 0; x < s.outputWidth; x += 1) {
      const left = x * s.strideWidth - s.padLeft;
      const output = (row * s.outputWidth + x) * s.filters;
      for (let ky = 0; ky < s.kernelHeight; ky += 1) {
        const iy = top + ky * s.dilationHeight;
        if (iy < 0 || iy >= s.inputHeight) continue;
        for (let kx = 0; kx < s.kernelWidth; kx += 1) {
          const ix = left + kx * s.dilationWidth;
          if (ix < 0 || ix >= s.inputWidth) continue;
          const input = ((example * s.inputHeight + iy) * s.inputWidth + ix) * s.inputChannels;
          visit(output, input, (ky * s.kernelWidth + kx) * tapWeights);
        }
      }
    }
  }
}

export function activate(activation: FusedActivation, value: number): number {
  if (activation === 'none') return value;
  if (value < 0) return 0;
  return activation === 'relu6' && value > 6 ? 6 : value;
}

/** Arrays: input, kernel, bias (where there is one), output. */
export function forwardReference(
  s: ConvolutionShape,
  hasBias: boolean,
  activation: FusedActivation,
): Reference {
  const groupChannels = s.inputChannels / s.groups;
  const groupFilters = s.filters / s.groups;
  return (inputs) => {
    const input = floatsOf(inputs, 'input');
    const kernel = floatsOf(inputs, 'kernel');
    const bias = hasBias ? floatsOf(inputs, 'bias') : new Float32Array(s.filters);
    const output = floatsOf(inputs, 'output');
    const sums = new Float64Array(s.outputWidth * s.filters);
    const rows = examplesOf(inputs) * s.outputHeight;
    for (let row = 0; row < rows; row += 1) {
      const start = row * s.outputWidth * s.filters;
      for (let x = 0; x < s.outputWidth; x += 1) sums.set(bias, x * s.filters);
      visitTaps(s, row, row + 1, (out, from, weights) => {
        const at = out - start;
        for (let group = 0; group < s.groups; group += 1) {
          const first = at + group * groupFilters;
          for (let c = 0; c < groupChannels; c += 1) {
            const value = input[from + group * groupChannels + c]!;
            const by = weights + c * s.filters + group * groupFilters;
            for (let f = 0; f < groupFilters; f += 1) sums[first + f]! += value * kernel[by + f]!;
          }
        }
      });
      for (let i = 0; i < sums.length; i += 1) output[start + i] = activate(activation, sums[i]!);
    }
  };
}

/** Arrays: outputGradient, kernel, inputGradient. */
export function inputGradientReference(s: ConvolutionShape, accumulate: boolean): Reference {
  const groupChannels = s.inputChannels / s.groups;
  const groupFilters = s.filters / s.groups;
  const image = s.inputHeight * s.inputWidth * s.inputChannels;
  return (inputs) => {
    const gradient = floatsOf(inputs, 'outputGradient');
    const kernel = floatsOf(inputs, 'kernel');
    const result = floatsOf(inputs, 'inputGradient');
    const sums = new Float64Array(image);
    for (let example = 0; example < examplesOf(inputs); example += 1) {
      const start = example * image;
      if (accumulate) sums.set(result.subarray(start, start + image));
      else sums.fill(0);
      visitTaps(s, example * s.outputHeight, (example + 1) * s.outputHeight, (out, into, weights) => {
        for (let group = 0; group < s.groups; group += 1) {
          const from = out + group * groupFilters;
          for (let c = 0; c < groupChannels; c += 1) {
            const by = weights + c * s.filters + group * groupFilters;
            let sum = 0;
            for (let f = 0; f < groupFilters; f += 1) sum += gradient[from + f]! * kernel[by + f]!;
            sums[into - start + group * groupChannels + c]! += sum;
          }
        }
      });
      result.set(sums, start);
    }
  };
}

/** Adds to `sums` the kernel's gradient over image rows `from`..`to` of the output. */
function addWeightGradient(
  s: ConvolutionShape,
  input: Float32Array,
  gradient: Float32Array,
  from: number,
  to: number,
  sums: Float64Array,
): void {
  const groupChannels = s.inputChannels / s.groups;
  const groupFilters = s.filters / s.groups;
  visitTaps(s, from, to, (out, image, weights) => {
    for (let group = 0; group < s.groups; group += 1) {
      const at = out + group * groupFilters;
      for (let c = 0; c < groupChannels; c += 1) {
        const value = input[image + group * groupChannels + c]!;
        const into = weights + c * s.filters + group * groupFilters;
        for (let f = 0; f < groupFilters; f += 1) sums[into + f]! += value * gradient[at + f]!;
      }
    }
  });
}

/** Arrays: input, outputGradient, parts [part][weight]. */
export function weightPartsReference(s: ConvolutionShape, rowsPerPart: number): Reference {
  const weights = s.kernelHeight * s.kernelWidth * (s.inputChannels / s.groups) * s.filters;
  return (inputs) => {
    const input = floatsOf(inputs, 'input');
    const gradient = floatsOf(inputs, 'outputGradient');
    const parts = floatsOf(inputs, 'parts');
    const rows = examplesOf(inputs) * s.outputHeight;
    const sums = new Float64Array(weights);
    for (let first = 0, part = 0; first < rows; first += rowsPerPart, part += 1) {
      sums.fill(0);
      addWeightGradient(s, input, gradient, first, Math.min(first + rowsPerPart, rows), sums);
      parts.set(sums, part * weights);
    }
  };
}

/** Arrays: parts, kernelGradient (added to). */
export function sumPartsReference(weights: number, rowsPerExample: number, rowsPerPart: number): Reference {
  return (inputs) => {
    const parts = floatsOf(inputs, 'parts');
    const gradient = floatsOf(inputs, 'kernelGradient');
    const used = Math.ceil((examplesOf(inputs) * rowsPerExample) / rowsPerPart);
    for (let weight = 0; weight < weights; weight += 1) {
      let sum = 0;
      for (let part = 0; part < used; part += 1) sum += parts[part * weights + weight]!;
      gradient[weight]! += sum;
    }
  };
}
