// Splits that were found, and what finds them: plain numbers, so that kernels can.

/** A split and the integer sums of its children. */
export interface SplitCandidate {
  /** Loss reduction, a float32. */
  readonly gain: number;
  readonly feature: number;
  /** Numeric: bins up to this go left; -1 sends every present value right. */
  readonly splitBin: number;
  /** Categorical: eight words, a set bit sends the category right. */
  readonly categories: Uint32Array | undefined;
  readonly missingGoesLeft: boolean;
  readonly leftG: number;
  readonly leftH: number;
  readonly rightG: number;
  readonly rightH: number;
  /** Low limbs of the sums, where a run's are wide. */
  readonly low?: LowSums;
}

export interface LowSums {
  readonly leftG: number;
  readonly leftH: number;
  readonly rightG: number;
  readonly rightH: number;
}

/** How splits are judged; the parameters are XGBoost's. */
export interface SplitRules {
  /** What one unit of the integer sums is. */
  readonly gradientUnit: number;
  readonly hessianUnit: number;
  readonly lambda: number;
  readonly alpha: number;
  readonly maxDeltaStep: number;
  readonly minChildWeight: number;
  readonly maxCatToOnehot: number;
  readonly maxCatThreshold: number;
  /** Of the run, in order; a histogram has one slot more for each, of missing values. */
  readonly features: readonly {
    readonly bins: number;
    readonly categorical: boolean;
    /** Sign of the constraint. */
    readonly monotone: number;
  }[];
}

/** A node that looks for a split. */
export interface SearchedNode {
  readonly g: number;
  readonly h: number;
  readonly low?: { readonly g: number; readonly h: number };
  /** As a leaf, a float32. */
  readonly gain: number;
  readonly bounds: { readonly lower: number; readonly upper: number };
  /** [feature of the block][slot][g, h]. */
  readonly sums: Float64Array;
  /** Low limbs of the sums, where they are wide. */
  readonly lowSums: Float64Array | undefined;
  /** [feature of the block]: 1 where it may be split. */
  readonly allowed: Uint8Array;
}

/** Finds what shared/gbdt/split.ts finds, to the last bit. */
export interface SplitSearch {
  /**
   * The best split of each node over the features [first, end); undefined where nothing gains.
   * @param rules the same object in all calls.
   */
  find(
    rules: SplitRules,
    first: number,
    end: number,
    nodes: readonly SearchedNode[],
  ): (SplitCandidate | undefined)[];
}
