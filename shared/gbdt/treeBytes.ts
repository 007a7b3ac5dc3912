// The trees of a round as bytes, for hashing: what members of a group compare. Equal trees have equal bytes, whichever
// way they came: grown here, or decoded from JSON.

import type { BinnedTree } from '../../kernels/gbdt/binnedTree.ts';

/** left, feature, bin, flags, value, leaf units, gain and cover of a node. */
const NODE_WORDS = 8;
const CATEGORY_WORDS = 8;

/**
 * Little endian: the number of trees, then for each tree the number of its nodes and one array a field, in node order;
 * the category words of categorical nodes follow.
 */
export function treeBytes(trees: readonly BinnedTree[]): Uint8Array<ArrayBuffer> {
  const words = trees.reduce((sum, tree) => sum + 1 + tree.left.length * NODE_WORDS + categoryWords(tree), 1);
  const bytes = new ArrayBuffer(words * 4);
  const ints = new Int32Array(bytes);
  const floats = new Float32Array(bytes);
  let at = 0;
  ints[at++] = trees.length;
  for (const tree of trees) {
    const nodes = tree.left.length;
    ints[at++] = nodes;
    for (const field of [tree.left, tree.feature, tree.splitBin]) {
      ints.set(field, at);
      at += nodes;
    }
    for (let node = 0; node < nodes; node += 1)
      ints[at++] = tree.missingGoesLeft[node]! | (tree.isCategorical[node]! << 1);
    ints.set(tree.valueFixed, at);
    at += nodes;
    for (const field of [tree.value, tree.gain, tree.cover]) {
      // Adding zero turns -0, which JSON loses, into 0.
      for (let node = 0; node < nodes; node += 1) floats[at++] = field[node]! + 0;
    }
    tree.isCategorical.forEach((categorical, node) => {
      if (categorical === 0) return;
      const from = node * CATEGORY_WORDS;
      for (let word = 0; word < CATEGORY_WORDS; word += 1) ints[at++] = tree.categories[from + word]!;
    });
  }
  return new Uint8Array(bytes);
}

function categoryWords({ isCategorical }: BinnedTree): number {
  return CATEGORY_WORDS * isCategorical.reduce((sum, categorical) => sum + categorical, 0);
}
