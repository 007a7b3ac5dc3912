// One dispatch of a static training program, as data. Shapes are constants of the op's WGSL; only what changes from
// microbatch to microbatch comes in through uniforms, so that pipelines and bind groups are made once.

import type { OpInputs, UniformBinding } from '../gpu/op.ts';
import type { NeuralOp } from './neuralOp.ts';

export type Phase = 'backward' | 'forward' | 'update';

export interface KernelCost {
  readonly flop: number;
  /** Read and written in global memory when caches catch every second use. */
  readonly bytes: number;
}

export interface KernelCall {
  readonly op: NeuralOp;
  /** Names of the program's buffers by the op's binding names. */
  readonly buffers: Readonly<Record<string, string>>;
  /** Workgroups for a microbatch of so many examples; [0, 0] dispatches nothing. */
  readonly groups: (examples: number) => readonly [number, number];
  readonly cost: (examples: number) => KernelCost;
  /** Layer of the model, for messages and profiles. */
  readonly layer: string;
  readonly phase: Phase;
}

/** What every factory of kernels is told. */
export interface KernelContext {
  readonly layer: string;
  /** Most examples of a microbatch. */
  readonly maxExamples: number;
  /** Name of a program buffer that the plan may use between its calls. */
  readonly workspace: string;
}

/** What a factory of kernels gives the compiler: dispatches in order, and what they need between them. */
export interface KernelPlan {
  readonly calls: readonly KernelCall[];
  /** Size of the buffer that the calls know by the name they were given for it; 0 if they don't need one. */
  readonly workspaceBytes: number;
}

/**
 * The uniform of every forward and backward op that needs it. `examples` of this microbatch (a last one is smaller),
 * `step` and `seed` for dropout, `training` 0 in evaluation.
 */
export const batchUniform: UniformBinding = {
  name: 'batch',
  fields: { examples: 'u32', step: 'u32', seed: 'u32', training: 'u32' },
};

/** Of this microbatch. */
export function batchExamples(uniforms: OpInputs['uniforms']): number {
  const examples = uniforms['batch']?.['examples'];
  if (examples === undefined) throw new RangeError('The uniform "batch" is missing.');
  return examples;
}

/** The same, for references. */
export function examplesOf(inputs: OpInputs): number {
  return batchExamples(inputs.uniforms);
}

/** A storage array of floats, for references. @throws RangeError when it is missing. */
export function floatsOf(inputs: OpInputs, name: string): Float32Array<ArrayBuffer> {
  const array = inputs.storage[name];
  if (!(array instanceof Float32Array)) throw new RangeError(`The storage array "${name}" is missing.`);
  return array;
}
