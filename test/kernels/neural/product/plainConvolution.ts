// Convolution and its gradients by their definition, in f64: each product of an input, a weight and an output is visited
// once and credited to all three.

import type { ConvolutionShape } from '../../../../kernels/neural/convolution.ts';

export interface PlainResult {
  readonly output: Float64Array;
  readonly inputGradient: Float64Array;
  readonly kernelGradient: Float64Array;
  /** Sums of absolute values of the same products, to judge rounding by. */
  readonly scale: {
    readonly output: Float64Array;
    readonly inputGradient: Float64Array;
    readonly kernelGradient: Float64Array;
  };
}

export function plainConvolution(
  shape: ConvolutionShape,
  examples: number,
  data: {
    readonly input: Float32Array;
    readonly kernel: Float32Array;
    readonly outputGradient: Float32Array;
  },
): PlainResult {
  const { input, kernel, outputGradient } = data;
  const make = () => ({
    output: new Float64Array(outputGradient.length),
    inputGradient: new Float64Array(input.length),
    kernelGradient: new Float64Array(kernel.length),
  });
  const result = make();
  const scale = make();
  const add = (name: keyof typeof result, at: number, value: number): void => {
    result[name][at]! += value;
    scale[name][at]! += Math.abs(value);
  };
  const { inputHeight, inputWidth, inputChannels, outputHeight, outputWidth, filters } = shape;
  const groupChannels = inputChannels / shape.groups;
  for (let e = 0; e < examples; e += 1) {
    for (let i = 0; i < outputHeight; i += 1) {
      for (let j = 0; j < outputWidth; j += 1) {
        for (let r = 0; r < shape.kernelHeight; r += 1) {
          for (let s = 0; s < shape.kernelWidth; s += 1) {
            const y = i * shape.strideHeight - shape.padTop + r * shape.dilationHeight;
            const x = j * shape.strideWidth - shape.padLeft + s * shape.dilationWidth;
            if (y < 0 || y >= inputHeight || x < 0 || x >= inputWidth) continue;
            for (let f = 0; f < filters; f += 1) {
              const firstChannel = Math.floor((f * shape.groups) / filters) * groupChannels;
              for (let c = 0; c < groupChannels; c += 1) {
                const inputAt = ((e * inputHeight + y) * inputWidth + x) * inputChannels + firstChannel + c;
                const kernelAt = ((r * shape.kernelWidth + s) * groupChannels + c) * filters + f;
                const outputAt = ((e * outputHeight + i) * outputWidth + j) * filters + f;
                add('output', outputAt, input[inputAt]! * kernel[kernelAt]!);
                add('inputGradient', inputAt, outputGradient[outputAt]! * kernel[kernelAt]!);
                add('kernelGradient', kernelAt, outputGradient[outputAt]! * input[inputAt]!);
              }
            }
          }
        }
      }
    }
  }
  return { ...result, scale };
}
