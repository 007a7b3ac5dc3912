// Softmax along rows, and its gradient from its output.

import { deterministicExp } from '../../fixed/deterministicExp.ts';
import { SOFTMAX, SOFTMAX_GRADIENT } from '../../wasm/assembly/neural/kernelNumbers.ts';
import type { KernelContext, KernelPlan } from '../kernelCall.ts';
import { batchUniform, examplesOf, floatsOf } from '../kernelCall.ts';
import type { NeuralOp } from '../neuralOp.ts';
import { rowKernel } from '../jobs/elementJobs.ts';
import { ROW_LANES, rowGroups, rowTreeWgsl, rowWgsl } from './rows.ts';
import { changeFloats, readFloats } from './vectors.ts';

export interface RowShape {
  readonly rowsPerExample: number;
  readonly length: number;
}

function forwardOp({ rowsPerExample, length }: RowShape): NeuralOp {
  return {
    name: `softmax[${rowsPerExample}×${length}]`,
    storage: [readFloats('input'), changeFloats('output')],
    uniforms: [batchUniform],
    workgroupSize: ROW_LANES,
    declarations: rowTreeWgsl,
    body: `${rowWgsl(rowsPerExample)}
  let first = row * ${length}u;
  var most = -3.4e38f;
  if (inside) {
    for (var i = lane; i < ${length}u; i += ${ROW_LANES}u) { most = larger(most, input[first + i]); }
  }
  let top = rowMax(lane, most);
  var part = 0.0f;
  if (inside) {
    for (var i = lane; i < ${length}u; i += ${ROW_LANES}u) { part += exp(input[first + i] - top); }
  }
  let sum = rowSum(lane, part);
  if (inside) {
    for (var i = lane; i < ${length}u; i += ${ROW_LANES}u) { output[first + i] = exp(input[first + i] - top) / sum; }
  }`,
    reference: (inputs) => {
      const input = floatsOf(inputs, 'input');
      const output = floatsOf(inputs, 'output');
      const rows = examplesOf(inputs) * rowsPerExample;
      for (let row = 0; row < rows; row += 1) {
        const [first, end] = [row * length, (row + 1) * length];
        let top = -Infinity;
        for (let i = first; i < end; i += 1) top = Math.max(top, input[i]!);
        let sum = 0;
        for (let i = first; i < end; i += 1) {
          output[i] = deterministicExp(input[i]! - top);
          sum += output[i]!;
        }
        for (let i = first; i < end; i += 1) output[i] = output[i]! / sum;
      }
    },
    wasm: rowKernel(SOFTMAX, rowsPerExample, length, (at, rows) => [at('input'), at('output'), length, rows]),
  };
}

/** In place: the output's gradient becomes the input's. */
function gradientOp({ rowsPerExample, length }: RowShape): NeuralOp {
  return {
    name: `softmaxGradient[${rowsPerExample}×${length}]`,
    storage: [readFloats('y'), changeFloats('gradient')],
    uniforms: [batchUniform],
    workgroupSize: ROW_LANES,
    declarations: rowTreeWgsl,
    body: `${rowWgsl(rowsPerExample)}
  let first = row * ${length}u;
  var part = 0.0f;
  if (inside) {
    for (var i = lane; i < ${length}u; i += ${ROW_LANES}u) { part += y[first + i] * gradient[first + i]; }
  }
  let sum = rowSum(lane, part);
  if (inside) {
    for (var i = lane; i < ${length}u; i += ${ROW_LANES}u) {
      gradient[first + i] = y[first + i] * (gradient[first + i] - sum);
    }
  }`,
    reference: (inputs) => {
      const y = floatsOf(inputs, 'y');
      const gradient = floatsOf(inputs, 'gradient');
      const rows = examplesOf(inputs) * rowsPerExample;
      for (let row = 0; row < rows; row += 1) {
        let sum = 0;
        for (let i = row * length; i < (row + 1) * length; i += 1) sum += y[i]! * gradient[i]!;
        for (let i = row * length; i < (row + 1) * length; i += 1) gradient[i] = y[i]! * (gradient[i]! - sum);
      }
    },
    wasm: rowKernel(SOFTMAX_GRADIENT, rowsPerExample, length, (at, rows) => [
      at('y'),
      at('gradient'),
      length,
      rows,
    ]),
  };
}

function plan(
  context: KernelContext,
  op: NeuralOp,
  phase: 'backward' | 'forward',
  { rowsPerExample, length }: RowShape,
  buffers: Readonly<Record<string, string>>,
): KernelPlan {
  const call = {
    op,
    buffers,
    groups: (examples: number) => rowGroups(examples * rowsPerExample),
    cost: (examples: number) => ({
      flop: 5 * examples * rowsPerExample * length,
      bytes: 12 * examples * rowsPerExample * length,
    }),
    layer: context.layer,
    phase,
  };
  return { calls: [call], workspaceBytes: 0 };
}

export function softmax(
  context: KernelContext,
  shape: RowShape,
  buffers: { readonly input: string; readonly output: string },
): KernelPlan {
  return plan(context, forwardOp(shape), 'forward', shape, buffers);
}

export function softmaxGradient(
  context: KernelContext,
  shape: RowShape,
  buffers: { readonly y: string; readonly gradient: string },
): KernelPlan {
  return plan(context, gradientOp(shape), 'backward', shape, buffers);
}
