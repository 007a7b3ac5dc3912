// Depthwise convolutions as jobs of WebAssembly.

import {
  DEPTHWISE,
  DEPTHWISE_INPUT_GRADIENT,
  DEPTHWISE_PARTS,
  START_BEFORE,
  START_ZERO,
} from '../../wasm/assembly/neural/kernelNumbers.ts';
import type { ConvolutionShape, FusedActivation } from '../convolution.ts';
import { batchExamples } from '../kernelCall.ts';
import type { WasmKernel, WasmRun } from '../neuralOp.ts';
import { activationNumbers } from './productJobs.ts';

function parametersOf(
  s: ConvolutionShape,
  at: WasmRun['at'],
  arrays: readonly [string, string, string],
  bias: number,
): number[] {
  return [
    ...arrays.map((name) => at(name)),
    bias,
    s.inputHeight,
    s.inputWidth,
    s.outputHeight,
    s.outputWidth,
    s.inputChannels,
    s.kernelHeight,
    s.kernelWidth,
    s.strideHeight,
    s.strideWidth,
    s.dilationHeight,
    s.dilationWidth,
    s.padTop,
    s.padLeft,
  ];
}

export function depthwiseKernel(
  s: ConvolutionShape,
  hasBias: boolean,
  activation: FusedActivation,
): WasmKernel {
  return {
    jobs: ({ at, uniforms }) => {
      const parameters = parametersOf(s, at, ['input', 'kernel', 'output'], hasBias ? at('bias') : 0);
      const tasks = batchExamples(uniforms) * s.outputHeight;
      return [{ kernel: DEPTHWISE, parameters: [...parameters, activationNumbers[activation]], tasks }];
    },
  };
}

export function depthwiseInputGradientKernel(s: ConvolutionShape, accumulate: boolean): WasmKernel {
  return {
    jobs: ({ at, uniforms }) => {
      const arrays = ['outputGradient', 'kernel', 'inputGradient'] as const;
      const parameters = [...parametersOf(s, at, arrays, 0), accumulate ? START_BEFORE : START_ZERO];
      const tasks = batchExamples(uniforms) * s.inputHeight;
      return [{ kernel: DEPTHWISE_INPUT_GRADIENT, parameters, tasks }];
    },
  };
}

export function depthwisePartsKernel(s: ConvolutionShape, rowsPerPart: number): WasmKernel {
  return {
    jobs: ({ at, uniforms }) => {
      const rows = batchExamples(uniforms) * s.outputHeight;
      const arrays = ['input', 'outputGradient', 'parts'] as const;
      const parameters = [...parametersOf(s, at, arrays, 0), rows, rowsPerPart];
      const tasks = Math.ceil(rows / rowsPerPart) * s.kernelHeight * s.kernelWidth;
      return [{ kernel: DEPTHWISE_PARTS, parameters, tasks }];
    },
  };
}
