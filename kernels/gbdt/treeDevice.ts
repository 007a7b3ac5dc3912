// What a device must do to grow trees. The round machine (client/gbdt) speaks to this interface alone, so the CPU
// reference and WebGPU can be swapped, mixed in one group, and compared number by number.
//
// Everything that influences a tree is an integer: margins, gradients, Hessians and their sums. Integer sums don't
// depend on the order of addition, hence not on the device, the number of workers or the split of rows.

import type { DeviceKind } from '../deviceKinds.ts';
import type { BinnedTree } from './binnedTree.ts';
import type { SplitSearch } from './splitCandidate.ts';
import { hasMarginLabels, type GradientKind } from './gradientKinds.ts';

/** Fraction bits of probabilities, of logistic and softmax gradients and of Hessians (2^24 stands for 1.0). */
export const PROBABILITY_FRACTION_BITS = 24;
/** Fraction bits of a row weight relative to the group's largest weight (2^24 stands for the largest). */
export const WEIGHT_FRACTION_BITS = 24;
/** Fraction bits of logistic and softmax margins (log-odds). Squared error chooses its own from the label range. */
export const LOGIT_FRACTION_BITS = 20;
/** Bin code of a missing value: always the last code, whatever the feature's number of cuts. */
export const MISSING_BIN = 255;
/** Value bins are 0..MAX_VALUE_BINS-1; a feature has at most this many. */
export const MAX_VALUE_BINS = 255;

/** Bits of the low limb of wide numbers: such a number is high · 2^24 + low. */
export const LIMB_BITS = 24;

/** What every device of a group must know alike before it touches a row. */
export interface DeviceSpec {
  readonly gradient: GradientKind;
  /** Outputs per row: classes for softmax, else 1. */
  readonly outputs: number;
  /** Fraction bits of margins (and of squared-error labels and gradients). */
  readonly marginFractionBits: number;
  /** Initial margin of every row and output, in margin units. */
  readonly baseMargin: number;
  /**
   * Gradients and Hessians have a second limb of LIMB_BITS bits below the first, and so do weights; for squared error
   * labels and margins as well. For runs whose rows differ by more than one limb holds. Default false.
   */
  readonly isWide?: boolean;
  /** Low limb of baseMargin, for squared error where it is wide. */
  readonly baseMarginLow?: number;
  /** Number of histogram slots of each feature: its value bins and, last, one slot for missing values. */
  readonly slotsPerFeature: readonly number[];
  /** Row sampling: a row takes part in a round when rowHash(seed, round, rowId) < threshold; 2^32 keeps all. */
  readonly sampling: { readonly seed: number; readonly threshold: number };
}

/** Consecutive rows of one dataset as a worker holds them. Column-major. */
export interface BinnedBlock {
  /** Global row id of the first row, the same at every holder of the block. */
  readonly firstRow: number;
  readonly rows: number;
  /** One array of `rows` bin codes a feature; MISSING_BIN for missing. */
  readonly bins: readonly Uint8Array[];
  /** Class index (logistic: 0 or 1), or for squared error the label in margin units. */
  readonly labels: Int32Array;
  /** Row weights in WEIGHT_FRACTION_BITS, or undefined when all weigh the same (taken as 2^24). */
  readonly weights?: Uint32Array;
  /** Margins to start from, [output][row] in margin units (warm start); else spec.baseMargin. */
  readonly baseMargins?: Int32Array;
  /** Low limbs where the spec is wide; the fields above are the high ones then, of weights rounded down. */
  readonly low?: LowLimbs;
}

export interface LowLimbs {
  /** Squared error: within ±2^23. */
  readonly labels?: Int32Array;
  /** Below 2^24. */
  readonly weights?: Uint32Array;
  /** Squared error: within ±2^23. */
  readonly baseMargins?: Int32Array;
}

/** Whether margins and labels have two limbs, and not gradients alone. */
export function hasWideMargins({ isWide, gradient }: Pick<DeviceSpec, 'isWide' | 'gradient'>): boolean {
  return isWide === true && hasMarginLabels(gradient);
}

/** Opaque handle of a loaded block. */
export interface LoadedBlock {
  readonly firstRow: number;
  readonly rows: number;
  /** Blocks that take part in training have gradients and positions; evaluation blocks have margins only. */
  readonly role: 'train' | 'evaluate';
}

/** A decision that sends the rows of one node to its children. */
export interface NodeSplit {
  readonly node: number;
  readonly left: number;
  readonly right: number;
  readonly feature: number;
  /** Numeric: rows with bin <= splitBin go left; -1 sends every present value right. Ignored for categorical splits. */
  readonly splitBin: number;
  /** Categorical: bit b of word b>>5 set sends category b RIGHT (XGBoost's convention). Eight words. */
  readonly categories?: Uint32Array;
  readonly missingGoesLeft: boolean;
}

interface DeviceDescription {
  readonly kind: DeviceKind;
  /** Adapter or engine in words, e.g. "Apple M4 (webgpu)" or "JavaScript". */
  readonly name: string;
}

/** Grows trees over the blocks it holds. Not re-entrant: one call at a time. */
export interface TreeDevice {
  readonly description: DeviceDescription;
  /** Resolves with the reason when the device is lost and every later call will fail. Never rejects. */
  readonly lost: Promise<string>;
  /** Where the device finds splits faster than plain JavaScript. */
  readonly splitSearch?: SplitSearch | undefined;

  /**
   * Takes a block; its margins start at block.baseMargins or spec.baseMargin. The device may keep the block's arrays
   * instead of copies, so they must not change afterwards.
   */
  load(block: BinnedBlock, role: LoadedBlock['role']): Promise<LoadedBlock>;
  unload(block: LoadedBlock): void;

  /**
   * Starts a tree: computes gradients and Hessians of `output` from the margins as they are now for all training
   * blocks (sampled-out rows get zeros) and puts every row at node 0.
   */
  beginTree(round: number, output: number): void;
  /**
   * Sums over the rows that are at each of `nodes`, for every feature and slot.
   * @param limb which limb of a wide spec is summed; each is a sum of its own.
   * @returns exact integers below 2^53, layout [node][feature][slot][g, h]; features are adjacent, each with its own
   * number of slots (spec.slotsPerFeature).
   */
  buildHistograms(nodes: Int32Array, limb?: 'high' | 'low'): Promise<Float64Array>;
  /** Moves rows of training blocks from split nodes to their children. */
  applySplits(splits: readonly NodeSplit[]): void;

  /**
   * Adds a finished round to the margins of `blocks`: trees[i] goes to output i % outputs.
   * Training state of the last tree may be used as a short cut; the result equals walking each tree for each row.
   */
  applyTrees(blocks: readonly LoadedBlock[], trees: readonly BinnedTree[]): void;
  /** Margins of a block, [output][row], in margin units; where they are wide all high limbs, then all low ones. */
  readMargins(block: LoadedBlock): Promise<Int32Array>;

  /** Frees everything. Idempotent. */
  close(): Promise<void>;
}
