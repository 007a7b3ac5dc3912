// An op of neural nets: beside the GPU's kernel and the plain reference it may say how WebAssembly does it. Both ways of the
// processor give the same bits, since what honest workers computed is compared exactly.

import type { Op, OpInputs } from '../gpu/op.ts';

/** Work of a kernel of kernels/wasm/assembly/neural: tasks that don't depend on one another. */
export interface WasmJob {
  /** Of kernelNumbers.ts there. */
  readonly kernel: number;
  readonly parameters: readonly number[];
  readonly tasks: number;
}

/** What jobs are told of a run. */
export interface WasmRun {
  /** Address of a storage array, by binding. */
  readonly at: (binding: string) => number;
  readonly uniforms: OpInputs['uniforms'];
  /** Address of the op's table. */
  readonly table: number;
  /** Address of the memory of the first thread, and how many bytes each has. */
  readonly threadMemory: number;
  readonly threadBytes: number;
}

/** How WebAssembly does an op. */
export interface WasmKernel {
  /** What jobs read that follows from shapes alone. */
  readonly table?: Int32Array<ArrayBuffer>;
  /** In order; one is done before the next begins. */
  readonly jobs: (run: WasmRun) => readonly WasmJob[];
}

export interface NeuralOp extends Op {
  readonly wasm?: WasmKernel;
}
