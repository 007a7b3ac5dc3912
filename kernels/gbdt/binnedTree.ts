// A tree in the terms of the binned data: what workers grow, exchange and walk. The float thresholds of the saved
// model are put in where the cuts are.

/** Structure of arrays, one entry a node; node 0 is the root; children follow their parents. */
export interface BinnedTree {
  /** Index of the left child, or -1 for a leaf. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Index of the parent, or -1 for the root. */
  readonly parent: Int32Array;
  readonly feature: Int32Array;
  /** Numeric split: bin <= splitBin goes left. */
  readonly splitBin: Int32Array;
  /** Eight words a node; bit b set sends category b right. All zero for numeric splits and leaves. */
  readonly categories: Uint32Array;
  /** 1 when the node's split is categorical. */
  readonly isCategorical: Uint8Array;
  readonly missingGoesLeft: Uint8Array;
  /** Leaf value, learning rate applied, rounded to float32 (for inner nodes: the value the node would have). */
  readonly value: Float32Array;
  /** `value` of leaves in margin units, the integer that training adds. Zero for inner nodes. */
  readonly valueFixed: Int32Array;
  /** Loss reduction of the split (0 for leaves). */
  readonly gain: Float32Array;
  /** Sum of Hessians of the node's rows. */
  readonly cover: Float32Array;
}
