// One case of an op: what a factory makes, and the buffers that it is given.

import type { KernelPlan } from '../../../../kernels/neural/kernelCall.ts';
import type { ReductionContext } from '../../../../kernels/neural/ops/columnBlocks.ts';
import type { AdapterClass } from '../../../../kernels/neural/product/chooseTile.ts';

/** Elements of a buffer, and what they are at the start: floats within ±2 unless it says otherwise. */
export type BufferSpec =
  | number
  /** Whole numbers from 0 to before `below`. */
  | { readonly length: number; readonly type: 'i32' | 'u32'; readonly below: number }
  /** Floats within these bounds. */
  | { readonly length: number; readonly from: number; readonly to: number };

export interface OpCase {
  readonly title: string;
  readonly maxExamples: number;
  /** As many as fit when left out. */
  readonly examples?: number;
  /** Kernels for this kind of adapter, whatever runs them here. */
  readonly adapter?: AdapterClass;
  readonly plan: (context: ReductionContext) => KernelPlan;
  readonly buffers: Readonly<Record<string, BufferSpec>>;
  /** The buffer that NaN and infinities are put into, when a run with them is wanted. */
  readonly poisoned?: string;
  /** Values of the uniform "update". */
  readonly update?: Readonly<Record<string, number>>;
  /** Evaluates instead of training. */
  readonly evaluates?: boolean;
}

/** An op whose elements, rows or channels stand each for itself. */
export function plain(
  title: string,
  plan: OpCase['plan'],
  buffers: OpCase['buffers'],
  poisoned?: string,
): OpCase {
  return { title, maxExamples: 3, plan, buffers, ...(poisoned !== undefined && { poisoned }) };
}
