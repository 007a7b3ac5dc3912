// What an update does beside the optimizer's rule, and how parameters lie.

import type { OptimizerSpec } from './optimizer.ts';

export interface UpdateForm {
  readonly optimizer: OptimizerSpec;
  readonly clipNorm: number | undefined;
  readonly clipValue: number | undefined;
  /** Whether some weights are frozen or have penalties: then a table says which. */
  readonly hasTraits: boolean;
}

/** Parameters come in blocks of this many, so that every weight's view starts at WebGPU's alignment of 256 bytes. */
export const BLOCK_LENGTH = 64;
/** Floats of a block in the table of traits: l1, l2, trainable, unused. */
export const TRAIT_FLOATS = 4;
