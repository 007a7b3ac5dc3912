// Sums over the rows of blocks, for each column, as jobs of WebAssembly.

import { BLOCK_MOMENTS, COLUMN_SUMS } from '../../wasm/assembly/neural/kernelNumbers.ts';
import { batchExamples } from '../kernelCall.ts';
import type { WasmKernel } from '../neuralOp.ts';

/** Columns of a task. */
const TOGETHER = 64;

interface Blocks {
  readonly rowsPerBlock: number;
  readonly maxBlocks: number;
}

/** Where a formula's array is: the binding, and how many floats after its start. */
export interface ColumnPlace {
  readonly binding: string;
  readonly offset: number;
}

/** @param places of gradient, x, mean, inverse and y, as far as the formula has them. */
export function columnSumsKernel(
  formula: number,
  places: Readonly<Partial<Record<string, ColumnPlace>>>,
  columns: number,
  rowsPerExample: number,
  { rowsPerBlock, maxBlocks }: Blocks,
): WasmKernel {
  const parts = Math.ceil(columns / TOGETHER);
  return {
    jobs: ({ at, uniforms }) => {
      const rows = batchExamples(uniforms) * rowsPerExample;
      const addressOf = (name: string): number => {
        const place = places[name];
        return place === undefined ? 0 : at(place.binding) + 4 * place.offset;
      };
      const arrays = ['gradient', 'x', 'mean', 'inverse', 'y'].map(addressOf);
      const parameters = [
        formula,
        ...arrays,
        columns,
        at('partials'),
        rows,
        rowsPerBlock,
        maxBlocks,
        TOGETHER,
        parts,
      ];
      return [{ kernel: COLUMN_SUMS, parameters, tasks: Math.ceil(rows / rowsPerBlock) * parts }];
    },
  };
}

export function blockMomentsKernel(
  columns: number,
  rowsPerExample: number,
  { rowsPerBlock, maxBlocks }: Blocks,
): WasmKernel {
  const parts = Math.ceil(columns / TOGETHER);
  return {
    jobs: ({ at, uniforms }) => {
      const rows = batchExamples(uniforms) * rowsPerExample;
      const parameters = [
        at('input'),
        columns,
        at('partials'),
        rows,
        rowsPerBlock,
        maxBlocks,
        TOGETHER,
        parts,
      ];
      return [{ kernel: BLOCK_MOMENTS, parameters, tasks: Math.ceil(rows / rowsPerBlock) * parts }];
    },
  };
}
