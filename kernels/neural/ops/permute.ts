// Puts the axes of each example in another order. Its gradient is the same with the order undone.

import { groupsFor } from '../../gpu/op.ts';
import type { KernelContext, KernelPlan, Phase } from '../kernelCall.ts';
import { permuteKernel } from '../jobs/tableJobs.ts';
import { batchUniform, examplesOf, floatsOf } from '../kernelCall.ts';
import type { NeuralOp } from '../neuralOp.ts';
import { changeFloats, readFloats } from './vectors.ts';

export interface PermuteShape {
  /** Without the batch. */
  readonly input: readonly number[];
  /** Axis k of the output is axis `axes[k]` of the input. */
  readonly axes: readonly number[];
}

const elementsOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

function permuteOp({ input, axes }: PermuteShape, accumulate: boolean): NeuralOp {
  const elements = elementsOf(input);
  /** Of each axis of the output: its size, and how far apart its neighbours lie in the input. */
  const steps = axes.map((axis) => ({
    size: input[axis] ?? 1,
    stride: elementsOf(input.slice(axis + 1)),
  }));
  const walk = steps.toReversed();
  return {
    name: `permute[${input.join('×')} → ${axes.join(',')}${accumulate ? ' add' : ''}]`,
    storage: [readFloats('input'), changeFloats('output')],
    uniforms: [batchUniform],
    workgroupSize: 256,
    declarations: '',
    body: `
  if (flat >= batch.examples * ${elements}u) { return; }
  var rest = flat % ${elements}u;
  var at = flat - rest;
${walk.map(({ size, stride }) => `  at += (rest % ${size}u) * ${stride}u;\n  rest /= ${size}u;`).join('\n')}
  output[flat] ${accumulate ? '+=' : '='} input[at];`,
    reference: (inputs) => {
      const from = floatsOf(inputs, 'input');
      const output = floatsOf(inputs, 'output');
      const all = examplesOf(inputs) * elements;
      for (let flat = 0; flat < all; flat += 1) {
        let rest = flat % elements;
        let at = flat - rest;
        for (const { size, stride } of walk) {
          at += (rest % size) * stride;
          rest = Math.floor(rest / size);
        }
        output[flat] = accumulate ? output[flat]! + from[at]! : from[at]!;
      }
    },
    wasm: permuteKernel(elements, walk, accumulate),
  };
}

export function permute(
  context: KernelContext,
  phase: Phase,
  shape: PermuteShape,
  buffers: { readonly input: string; readonly output: string },
  accumulate: boolean,
): KernelPlan {
  const op = permuteOp(shape, accumulate);
  const elements = elementsOf(shape.input);
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
