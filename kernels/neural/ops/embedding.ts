// Rows of a table by index, and the gradient of the table. The gradient is gathered: a workgroup looks through the
// indices for its row and adds up in their order, so no two runs differ (float atomics would).

import { groupsFor } from '../../gpu/op.ts';
import type { KernelContext, KernelPlan } from '../kernelCall.ts';
import { embeddingGradientKernel, embeddingKernel } from '../jobs/tableJobs.ts';
import { batchUniform, examplesOf, floatsOf } from '../kernelCall.ts';
import type { NeuralOp } from '../neuralOp.ts';
import { ROW_LANES, rowGroups } from './rows.ts';
import { changeFloats, readFloats } from './vectors.ts';

export interface EmbeddingShape {
  /** Indices of an example. */
  readonly length: number;
  readonly vocabulary: number;
  readonly width: number;
}

const indices = { name: 'indices', type: 'array<i32>', access: 'read' } as const;

function forwardOp({ length, vocabulary, width }: EmbeddingShape): NeuralOp {
  return {
    name: `embedding[${length}; ${vocabulary}×${width}]`,
    storage: [indices, readFloats('table'), changeFloats('output')],
    uniforms: [batchUniform],
    workgroupSize: 256,
    declarations: '',
    body: `
  if (flat >= batch.examples * ${length * width}u) { return; }
  output[flat] = table[u32(indices[flat / ${width}u]) * ${width}u + flat % ${width}u];`,
    reference: (inputs) => {
      const rows = inputs.storage['indices'] as Int32Array;
      const table = floatsOf(inputs, 'table');
      const output = floatsOf(inputs, 'output');
      const count = examplesOf(inputs) * length;
      for (let i = 0; i < count; i += 1) {
        const start = rows[i]! * width;
        output.set(table.subarray(start, start + width), i * width);
      }
    },
    wasm: embeddingKernel(length, width),
  };
}

function gradientOp({ length, vocabulary, width }: EmbeddingShape): NeuralOp {
  return {
    name: `embeddingGradient[${length}; ${vocabulary}×${width}]`,
    storage: [indices, readFloats('outputGradient'), changeFloats('tableGradient')],
    uniforms: [batchUniform],
    workgroupSize: ROW_LANES,
    declarations: `var<workgroup> some: array<i32, ${ROW_LANES}>;`,
    body: `
  let row = i32(group.y * groups.x + group.x);
  let count = batch.examples * ${length}u;
  for (var first = 0u; first < ${width}u; first += ${ROW_LANES}u) {
    let column = first + lane;
    var sum = 0.0f;
    for (var start = 0u; start < count; start += ${ROW_LANES}u) {
      var index = -1;
      if (start + lane < count) { index = indices[start + lane]; }
      some[lane] = index;
      // All indices of this stretch are there.
      workgroupBarrier();
      if (column < ${width}u) {
        for (var i = 0u; i < ${ROW_LANES}u; i++) {
          if (some[i] == row) { sum += outputGradient[(start + i) * ${width}u + column]; }
        }
      }
      // Everybody has looked before the next stretch.
      workgroupBarrier();
    }
    if (column < ${width}u && row < ${vocabulary}) { tableGradient[u32(row) * ${width}u + column] += sum; }
  }`,
    reference: (inputs) => {
      const rows = inputs.storage['indices'] as Int32Array;
      const gradient = floatsOf(inputs, 'outputGradient');
      const table = floatsOf(inputs, 'tableGradient');
      const count = examplesOf(inputs) * length;
      for (let i = 0; i < count; i += 1) {
        for (let k = 0; k < width; k += 1) table[rows[i]! * width + k]! += gradient[i * width + k]!;
      }
    },
    wasm: embeddingGradientKernel(length, width),
  };
}

export function embedding(
  context: KernelContext,
  shape: EmbeddingShape,
  buffers: { readonly indices: string; readonly table: string; readonly output: string },
): KernelPlan {
  const op = forwardOp(shape);
  const elements = shape.length * shape.width;
  const call = {
    op,
    buffers,
    groups: (examples: number) => groupsFor(op, examples * elements),
    cost: (examples: number) => ({ flop: 0, bytes: 8 * examples * elements }),
    layer: context.layer,
    phase: 'forward' as const,
  };
  return { calls: [call], workspaceBytes: 0 };
}

export function embeddingGradient(
  context: KernelContext,
  shape: EmbeddingShape,
  buffers: { readonly indices: string; readonly outputGradient: string; readonly tableGradient: string },
): KernelPlan {
  const op = gradientOp(shape);
  const elements = shape.length * shape.width;
  const call = {
    op,
    buffers,
    groups: (examples: number): readonly [number, number] =>
      examples === 0 ? [0, 0] : rowGroups(shape.vocabulary),
    cost: (examples: number) => ({
      flop: examples * elements,
      bytes: 4 * (examples * elements + 2 * shape.vocabulary * shape.width),
    }),
    layer: context.layer,
    phase: 'backward' as const,
  };
  return { calls: [call], workspaceBytes: 0 };
}
