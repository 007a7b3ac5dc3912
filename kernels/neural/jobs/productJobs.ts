// The products of convolutions and dense layers as jobs of WebAssembly.

import type { ConvolutionShape, FusedActivation } from '../convolution.ts';
import { batchExamples } from '../kernelCall.ts';
import type { WasmKernel } from '../neuralOp.ts';
import {
  COLUMNS_TOGETHER,
  GATHER_PRODUCT,
  ROWS_TOGETHER,
  START_BEFORE,
  START_BIAS,
  START_ZERO,
  WEIGHT_PRODUCT,
} from '../../wasm/assembly/neural/kernelNumbers.ts';
import { classTable, forwardForm, inputGradientForm, type GatherForm } from './gatherClasses.ts';
import { stripTable } from './weightStrips.ts';

export const activationNumbers: Readonly<Record<FusedActivation, number>> = { none: 0, relu: 1, relu6: 2 };

/** Storage arrays of a gathered product by binding. */
interface GatherBindings {
  readonly source: string;
  readonly weights: string;
  readonly bias?: string;
  readonly target: string;
}

function gatherKernel(
  form: GatherForm,
  bindings: GatherBindings,
  start: number,
  activation: FusedActivation,
): WasmKernel {
  const columnBlocks = Math.ceil(form.columns / COLUMNS_TOGETHER);
  const { source, weights, bias, target } = bindings;
  return {
    table: classTable(form),
    jobs: ({ at, uniforms, table, threadMemory, threadBytes }) => {
      const examples = batchExamples(uniforms);
      const blocks = form.classes.reduce(
        (sum, { rows, columns }) => sum + Math.ceil((examples * rows * columns) / ROWS_TOGETHER),
        0,
      );
      const parameters = [
        at(source),
        at(weights),
        bias === undefined ? 0 : at(bias),
        at(target),
        table,
        form.classes.length,
        examples,
        form.sourceImage,
        form.targetImage,
        form.columns,
        columnBlocks,
        form.weightStrides.term,
        form.weightStrides.column,
        start,
        activationNumbers[activation],
        threadMemory,
        threadBytes,
      ];
      return [{ kernel: GATHER_PRODUCT, parameters, tasks: blocks * columnBlocks }];
    },
  };
}

export function forwardKernel(
  shape: ConvolutionShape,
  hasBias: boolean,
  activation: FusedActivation,
): WasmKernel {
  return gatherKernel(
    forwardForm(shape),
    { source: 'input', weights: 'kernel', target: 'output', ...(hasBias && { bias: 'bias' }) },
    hasBias ? START_BIAS : START_ZERO,
    activation,
  );
}

export function inputGradientKernel(shape: ConvolutionShape, accumulate: boolean): WasmKernel {
  return gatherKernel(
    inputGradientForm(shape),
    { source: 'outputGradient', weights: 'kernel', target: 'inputGradient' },
    accumulate ? START_BEFORE : START_ZERO,
    'none',
  );
}

export function weightGradientKernel(s: ConvolutionShape): WasmKernel {
  const { table, strips, rowsFrom } = stripTable(s);
  const columnBlocks = Math.ceil(s.filters / COLUMNS_TOGETHER);
  return {
    table,
    jobs: ({ at, uniforms, table: address, threadMemory, threadBytes }) => {
      const parameters = [
        at('input'),
        at('outputGradient'),
        at('kernelGradient'),
        address,
        address + 4 * rowsFrom,
        batchExamples(uniforms),
        s.inputHeight,
        s.inputWidth,
        s.inputChannels,
        s.outputHeight,
        s.outputWidth,
        s.filters,
        s.strideHeight,
        s.strideWidth,
        columnBlocks,
        threadMemory,
        threadBytes,
      ];
      return [{ kernel: WEIGHT_PRODUCT, parameters, tasks: strips * columnBlocks }];
    },
  };
}
