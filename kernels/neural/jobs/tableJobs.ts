// Ops that move floats or look them up, and dropout, as jobs of WebAssembly.

import {
  COLUMNWISE,
  COPY_SLICE,
  DROPOUT,
  EMBEDDING,
  EMBEDDING_GRADIENT,
  GRADIENT_SQUARES,
  PERMUTE,
} from '../../wasm/assembly/neural/kernelNumbers.ts';
import { batchExamples } from '../kernelCall.ts';
import type { WasmKernel } from '../neuralOp.ts';
import { rowTasks } from './elementJobs.ts';

export function dropoutKernel(
  length: number,
  salt: number,
  threshold: number,
  scale: number,
  inPlace: boolean,
): WasmKernel {
  return {
    jobs: ({ at, uniforms }) => {
      const { examples = 0, step = 0, seed = 0, training = 0 } = uniforms['batch'] ?? {};
      const output = at('output');
      const parameters = [
        inPlace ? output : at('input'),
        output,
        at('exampleIds'),
        length,
        (seed ^ salt) >>> 0,
        step,
        threshold,
        scale,
        training,
      ];
      return [{ kernel: DROPOUT, parameters, tasks: examples }];
    },
  };
}

export function columnwiseKernel(
  formula: number,
  readsX: boolean,
  columns: number,
  rowsPerExample: number,
): WasmKernel {
  return {
    jobs: ({ at, uniforms }) => {
      const rows = batchExamples(uniforms) * rowsPerExample;
      const parameters = [formula, at('table'), readsX ? at('xValues') : 0, at('result'), columns, rows];
      return [{ kernel: COLUMNWISE, parameters, tasks: rowTasks(rows, columns) }];
    },
  };
}

/** In floats. */
interface Slice {
  readonly rowsPerExample: number;
  readonly length: number;
  readonly inputStride: number;
  readonly inputOffset: number;
  readonly outputStride: number;
  readonly outputOffset: number;
}

export function copySliceKernel(s: Slice, adds: boolean): WasmKernel {
  return {
    jobs: ({ at, uniforms }) => {
      const rows = batchExamples(uniforms) * s.rowsPerExample;
      const { length, inputStride, inputOffset, outputStride, outputOffset } = s;
      const places = [inputStride, inputOffset, outputStride, outputOffset];
      const parameters = [at('input'), at('output'), length, ...places, Number(adds), rows];
      return [{ kernel: COPY_SLICE, parameters, tasks: rowTasks(rows, length) }];
    },
  };
}

/** @param axes of the output, the last first: sizes, and how far apart neighbours lie in the input. */
export function permuteKernel(
  length: number,
  axes: readonly { readonly size: number; readonly stride: number }[],
  adds: boolean,
): WasmKernel {
  return {
    table: Int32Array.from([axes.length, ...axes.flatMap(({ size, stride }) => [size, stride])]),
    jobs: ({ at, uniforms, table }) => {
      const parameters = [at('input'), at('output'), length, table, Number(adds)];
      return [{ kernel: PERMUTE, parameters, tasks: batchExamples(uniforms) }];
    },
  };
}

export function embeddingKernel(length: number, width: number): WasmKernel {
  return {
    jobs: ({ at, uniforms }) => {
      const count = batchExamples(uniforms) * length;
      const parameters = [at('indices'), at('table'), at('output'), count, width];
      return [{ kernel: EMBEDDING, parameters, tasks: rowTasks(count, width) }];
    },
  };
}

/** Columns of a task of the gradient. */
const COLUMNS = 16;

export function embeddingGradientKernel(length: number, width: number): WasmKernel {
  return {
    jobs: ({ at, uniforms }) => {
      const count = batchExamples(uniforms) * length;
      const arrays = [at('indices'), at('outputGradient'), at('tableGradient')];
      const parameters = [...arrays, count, width, COLUMNS];
      return [{ kernel: EMBEDDING_GRADIENT, parameters, tasks: Math.ceil(width / COLUMNS) }];
    },
  };
}

/** Into the floats of `squares` from `offset`. */
export function squaresKernel(
  length: number,
  offset: number,
  groups: number,
  hasTraits: boolean,
): WasmKernel {
  return {
    jobs: ({ at, uniforms }) => {
      const { gradientScale = 0 } = uniforms['update'] ?? {};
      const parameters = [
        at('gradients'),
        hasTraits ? at('parameters') : 0,
        hasTraits ? at('traits') : 0,
        at('squares') + 4 * offset,
        length,
        gradientScale,
        groups,
      ];
      return [{ kernel: GRADIENT_SQUARES, parameters, tasks: groups }];
    },
  };
}
