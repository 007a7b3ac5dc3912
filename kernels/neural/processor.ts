// The memory of a program on the processor, and who computes on it: plain JavaScript, or WebAssembly.

import type { OpInputs, WordArray } from '../gpu/op.ts';
import type { NeuralOp } from './neuralOp.ts';
import type { BufferView, KernelProgram } from './program.ts';

export interface Processor {
  readonly lost: Promise<string>;
  /** Bytes that it holds. */
  readonly bytes: number;
  /** Multiplications and additions that take 15 to 60 ms. */
  readonly flopPerSlice: number;
  /** Of a buffer of the program. The array is good until the next call of any function here. */
  view(name: string): WordArray;
  /** @param bufferOf the buffer that a binding of the op stands for. */
  perform(op: NeuralOp, bufferOf: (binding: string) => string, uniforms: OpInputs['uniforms']): void;
  close(): void;
}

export const arrayTypes = { f32: Float32Array, i32: Int32Array, u32: Uint32Array } as const;

/** @throws RangeError when the program has no such buffer. */
export function bufferView({ memory }: KernelProgram, name: string): BufferView {
  const view = memory.views[name];
  if (view === undefined) throw new RangeError(`The program has no buffer "${name}".`);
  return view;
}

export function allocatedBytes({ memory }: KernelProgram): number {
  return memory.allocations.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** By the op's reference. */
export function performReference(
  { storage, reference }: NeuralOp,
  viewOf: (binding: string) => WordArray,
  uniforms: OpInputs['uniforms'],
): void {
  reference({ storage: Object.fromEntries(storage.map(({ name }) => [name, viewOf(name)])), uniforms });
}
