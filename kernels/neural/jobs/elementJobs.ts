// Jobs over arrays whose elements stand each for themselves, and over whole rows.

import type { OpInputs } from '../../gpu/op.ts';
import {
  ELEMENTWISE,
  FLOATS_TOGETHER,
  ROW_FLOATS_TOGETHER,
} from '../../wasm/assembly/neural/kernelNumbers.ts';
import { batchExamples } from '../kernelCall.ts';
import type { WasmKernel, WasmRun } from '../neuralOp.ts';

/** A formula of the kernel ELEMENTWISE, by its number, and the constants that it knows. */
export interface WasmFormula {
  readonly number: number;
  readonly constants?: readonly [scale: number, offset?: number];
}

/** @param length elements of an example. */
export function elementwiseKernel(
  { number, constants = [0] }: WasmFormula,
  reads: readonly string[],
  length: number,
): WasmKernel {
  return {
    jobs: ({ at, uniforms }) => {
      const elements = batchExamples(uniforms) * length;
      const result = at('result');
      const [a = result, b = result] = reads.map((name) => at(`${name}Values`));
      const [scale, offset = 0] = constants;
      const parameters = [number, a, b, result, elements, scale, offset];
      return [{ kernel: ELEMENTWISE, parameters, tasks: Math.ceil(elements / FLOATS_TOGETHER) }];
    },
  };
}

/** Tasks of a job over rows of `length` floats. */
export function rowTasks(rows: number, length: number): number {
  return Math.ceil(rows / Math.max(1, Math.floor(ROW_FLOATS_TOGETHER / length)));
}

/** Jobs over the rows of a microbatch. @param parametersOf the kernel's parameters for so many rows. */
export function rowKernel(
  kernel: number,
  rowsPerExample: number,
  length: number,
  parametersOf: (at: WasmRun['at'], rows: number) => readonly number[],
): WasmKernel {
  const rowsOf = (uniforms: OpInputs['uniforms']): number => batchExamples(uniforms) * rowsPerExample;
  return {
    jobs: ({ at, uniforms }) => {
      const rows = rowsOf(uniforms);
      return [{ kernel, parameters: parametersOf(at, rows), tasks: rowTasks(rows, length) }];
    },
  };
}
