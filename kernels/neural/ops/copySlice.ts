// Copies a stretch of every row of one array into a stretch of every row of another: concatenation, part by part, and
// the slices that are its gradient.

import { groupsFor } from '../../gpu/op.ts';
import type { KernelContext, KernelPlan, Phase } from '../kernelCall.ts';
import { copySliceKernel } from '../jobs/tableJobs.ts';
import { batchUniform, examplesOf, floatsOf } from '../kernelCall.ts';
import type { NeuralOp } from '../neuralOp.ts';
import { changeFloats, readFloats } from './vectors.ts';

/** In elements. */
export interface SliceShape {
  readonly rowsPerExample: number;
  readonly length: number;
  readonly inputStride: number;
  readonly inputOffset: number;
  readonly outputStride: number;
  readonly outputOffset: number;
}

function copySliceOp(s: SliceShape, accumulate: boolean): NeuralOp {
  const { rowsPerExample, length, inputStride, inputOffset, outputStride, outputOffset } = s;
  const place = `${inputOffset}/${inputStride} → ${outputOffset}/${outputStride}`;
  return {
    name: `copySlice[${rowsPerExample}×${length}; ${place}${accumulate ? ' add' : ''}]`,
    storage: [readFloats('input'), changeFloats('output')],
    uniforms: [batchUniform],
    workgroupSize: 256,
    declarations: '',
    body: `
  if (flat >= batch.examples * ${rowsPerExample * length}u) { return; }
  let row = flat / ${length}u;
  let i = flat % ${length}u;
  output[row * ${outputStride}u + ${outputOffset}u + i] ${accumulate ? '+=' : '='} input[row * ${inputStride}u + ${inputOffset}u + i];`,
    reference: (inputs) => {
      const input = floatsOf(inputs, 'input');
      const output = floatsOf(inputs, 'output');
      const rows = examplesOf(inputs) * rowsPerExample;
      for (let row = 0; row < rows; row += 1) {
        for (let i = 0; i < length; i += 1) {
          const at = row * outputStride + outputOffset + i;
          const value = input[row * inputStride + inputOffset + i]!;
          output[at] = accumulate ? output[at]! + value : value;
        }
      }
    },
    wasm: copySliceKernel(s, accumulate),
  };
}

export function copySlice(
  context: KernelContext,
  phase: Phase,
  shape: SliceShape,
  buffers: { readonly input: string; readonly output: string },
  accumulate: boolean,
): KernelPlan {
  const op = copySliceOp(shape, accumulate);
  const elements = shape.rowsPerExample * shape.length;
  const call = {
    op,
    buffers,
    groups: (examples: number) => groupsFor(op, examples * elements),
    cost: (examples: number) => ({ flop: 0, bytes: 8 * examples * elements }),
    layer: context.layer,
    phase,
  };
  return { calls: [call], workspaceBytes: 0 };
}
