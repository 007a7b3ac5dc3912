// All trees of a model in one array that rows walk fast: the four words of a node lie side by side, siblings are
// neighbours, and values are compared as integers, so that a step is a few loads and one comparison without a branch.

import type { ModelTree } from './model.ts';
import { floatKey, MISSING_BELOW } from './floatKey.ts';
import { makeSlots, slotFor, type RowSlots } from './rowSlots.ts';

/** Words of a node: slot (odd for categories), bound, left child, first word of the set of categories. */
const NODE_WORDS = 4;
/** Above the key of every value: rows in a leaf go to its "left child", the leaf itself. */
const ABOVE_ALL = 0x7fffffff;

export interface FlatForest {
  /** NODE_WORDS a node; children are positions in this array; the right child follows the left one. */
  readonly nodes: Int32Array;
  /** Values of leaves, by position / NODE_WORDS; 0 for inner nodes. */
  readonly leafValues: Float32Array;
  /** Numbers of the nodes in the model's file, by position / NODE_WORDS. */
  readonly nodeIds: Int32Array;
  /** Position of each tree's root. */
  readonly roots: Int32Array;
  /** Steps that take any row to its leaf, tree by tree; 0 where most paths are much shorter than the longest. */
  readonly steps: Int32Array;
  /** 1 for trees with categorical nodes. */
  readonly hasCategories: Uint8Array;
  /** Bit 0 of a set: missing values go right; bit c + 1: category c does. The first word is 0, for nodes without a set. */
  readonly sets: Int32Array;
  readonly slots: RowSlots;
}

/** @param trees every node has one parent; features are below numFeature. */
export function compileForest(trees: readonly ModelTree[], numFeature: number): FlatForest {
  let nodeCount = 0;
  let setWords = 1;
  for (const { left, categories } of trees) {
    nodeCount += left.length;
    for (const words of categories.values()) setWords += words.length + 1;
  }
  const forest = {
    nodes: new Int32Array(nodeCount * NODE_WORDS),
    leafValues: new Float32Array(nodeCount),
    nodeIds: new Int32Array(nodeCount),
    roots: new Int32Array(trees.length),
    steps: new Int32Array(trees.length),
    hasCategories: Uint8Array.from(trees, ({ categories }) => (categories.size > 0 ? 1 : 0)),
    sets: new Int32Array(setWords),
    slots: makeSlots(numFeature),
  };
  let root = 0;
  let setEnd = 1;
  trees.forEach((tree, t) => {
    forest.roots[t] = root;
    forest.steps[t] = addTree(forest, tree, root, setEnd);
    root += tree.left.length * NODE_WORDS;
    for (const words of tree.categories.values()) setEnd += words.length + 1;
  });
  return forest;
}

/** Writes a tree from position `root` on and its sets from word `setEnd` on; returns its steps. */
function addTree(
  { nodes, leafValues, nodeIds, sets, slots }: FlatForest,
  tree: ModelTree,
  root: number,
  setEnd: number,
): number {
  // Breadth first: a node's index in `order` is its place behind the root.
  const order = [0];
  const depths = [0];
  let leaves = 0;
  for (let i = 0; i < order.length; i += 1) {
    const node = order[i]!;
    const at = root + i * NODE_WORDS;
    nodeIds[at / NODE_WORDS] = tree.ids?.[node] ?? node;
    const left = tree.left[node]!;
    if (left === -1) {
      nodes[at + 1] = ABOVE_ALL;
      nodes[at + 2] = at;
      leafValues[at / NODE_WORDS] = tree.threshold[node]!;
      leaves += 1;
      continue;
    }
    nodes[at + 2] = root + order.length * NODE_WORDS;
    order.push(left, tree.right[node]!);
    depths.push(depths[i]! + 1, depths[i]! + 1);
    const feature = tree.feature[node]!;
    const missingGoesLeft = tree.defaultLeft[node] === 1;
    const words = tree.categories.get(node);
    if (words === undefined) {
      nodes[at] = slotFor(slots, missingGoesLeft ? 'missingBelow' : 'missingAbove', feature);
      // No number is below a bound that is NaN.
      nodes[at + 1] = floatKey(tree.threshold[node]!, MISSING_BELOW + 1);
    } else {
      nodes[at] = slotFor(slots, 'category', feature);
      nodes[at + 1] = words.length * 32 + 1;
      nodes[at + 3] = setEnd;
      writeSet(sets, setEnd, words, !missingGoesLeft);
      setEnd += words.length + 1;
    }
  }
  const depth = depths[depths.length - 1]!;
  return depth <= 2 * Math.log2(leaves) + 2 ? depth : 0;
}

/** All bits move up by one to make room for missing values. */
function writeSet(sets: Int32Array, first: number, words: Uint32Array, missing: boolean): void {
  let carry = missing ? 1 : 0;
  words.forEach((word, i) => {
    sets[first + i] = (word << 1) | carry;
    carry = word >>> 31;
  });
  sets[first + words.length] = carry;
}
