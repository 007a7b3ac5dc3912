// Kernels over parts of examples: a layer that sees each frame of a sequence by itself computes as if every frame were an
// example. What kernels know of a microbatch is the number of its examples, in one place.

import type { OpInputs } from '../gpu/op.ts';
import { batchExamples, batchUniform, type KernelCall, type KernelPlan } from './kernelCall.ts';
import type { NeuralOp } from './neuralOp.ts';

/** @param plan of kernels that see nothing of a microbatch but its number of examples, made for `parts` times as many. */
export function ofParts(plan: KernelPlan, parts: number): KernelPlan {
  if (parts === 1) return plan;
  return { ...plan, calls: plan.calls.map((call) => callOfParts(call, parts)) };
}

function callOfParts(call: KernelCall, parts: number): KernelCall {
  return {
    ...call,
    op: opOfParts(call.op, parts),
    groups: (examples) => call.groups(examples * parts),
    cost: (examples) => call.cost(examples * parts),
  };
}

function opOfParts(op: NeuralOp, parts: number): NeuralOp {
  const inParts = (wgsl: string): string => wgsl.replaceAll('batch.examples', `(batch.examples * ${parts}u)`);
  const uniformsOf = (uniforms: OpInputs['uniforms']): OpInputs['uniforms'] => {
    const batch = uniforms[batchUniform.name];
    return { ...uniforms, [batchUniform.name]: { ...batch, examples: batchExamples(uniforms) * parts } };
  };
  const { wasm } = op;
  return {
    ...op,
    name: `${op.name} of ${parts} parts`,
    declarations: inParts(op.declarations),
    body: inParts(op.body),
    reference: (inputs) => op.reference({ ...inputs, uniforms: uniformsOf(inputs.uniforms) }),
    ...(wasm && {
      wasm: { ...wasm, jobs: (run) => wasm.jobs({ ...run, uniforms: uniformsOf(run.uniforms) }) },
    }),
  };
}
