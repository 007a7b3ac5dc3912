// A static training program: memory with names, and dispatches in order. It knows nothing of devices; executors run it.

import type { UniformBinding, WordArray } from '../gpu/op.ts';
import type { KernelCall } from './kernelCall.ts';

/** What memory is for, in reports. */
export type MemoryKind = 'activations' | 'gradients' | 'optimizer' | 'parameters' | 'staging' | 'workspace';

/** One piece of memory on the device. */
export interface Allocation {
  readonly name: string;
  readonly bytes: number;
  readonly kind: MemoryKind;
}

export type ElementType = 'f32' | 'i32' | 'u32';

/** A named stretch of an allocation; what the kernels of one buffer name see. */
export interface BufferView {
  readonly allocation: string;
  /** A multiple of 256. */
  readonly offsetBytes: number;
  /** For a full microbatch. */
  readonly bytes: number;
  readonly type: ElementType;
}

interface ProgramMemory {
  readonly allocations: readonly Allocation[];
  readonly views: Readonly<Record<string, BufferView>>;
  /** What views hold from the start; the others are zero. */
  readonly contents: Readonly<Record<string, WordArray>>;
}

/** Everything an executor has to prepare. */
export interface KernelProgram {
  readonly memory: ProgramMemory;
  readonly uniforms: readonly UniformBinding[];
  readonly calls: readonly KernelCall[];
}
