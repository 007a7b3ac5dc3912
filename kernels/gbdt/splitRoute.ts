// Which way a split sends each slot, as a table: partition and walk then look up instead of comparing three cases.

import type { BinnedTree } from './binnedTree.ts';
import type { NodeSplit } from './treeDevice.ts';
import { MISSING_BIN } from './treeDevice.ts';

type Split = Pick<NodeSplit, 'splitBin' | 'categories' | 'missingGoesLeft'>;

/**
 * Writes 1 for what goes left, 0 for right, into route[at .. at + 255]. Missing values are found both at the feature's
 * last slot and at MISSING_BIN, so the table serves slots and bin codes alike.
 */
export function writeRoute(route: Uint8Array, at: number, slots: number, split: Split): void {
  const { categories } = split;
  for (let slot = 0; slot < slots - 1; slot += 1) {
    const left =
      categories === undefined
        ? slot <= split.splitBin
        : (((categories[slot >> 5] ?? 0) >>> (slot & 31)) & 1) === 0;
    route[at + slot] = left ? 1 : 0;
  }
  route[at + slots - 1] = split.missingGoesLeft ? 1 : 0;
  route[at + MISSING_BIN] = split.missingGoesLeft ? 1 : 0;
}

/** The split of an inner node of a finished tree. */
export function splitOfNode(tree: BinnedTree, node: number): NodeSplit {
  const split = {
    node,
    left: tree.left[node] ?? -1,
    right: tree.right[node] ?? -1,
    feature: tree.feature[node] ?? 0,
    splitBin: tree.splitBin[node] ?? 0,
    missingGoesLeft: tree.missingGoesLeft[node] === 1,
  };
  return tree.isCategorical[node] === 1
    ? { ...split, categories: tree.categories.subarray(node * 8, node * 8 + 8) }
    : split;
}

/**
 * True when the splits that were applied while growing are exactly those of `tree`, so that rows stand at its leaves.
 * False for a tree that was pruned or renumbered since, or comes from elsewhere.
 */
export function treeMatchesSplits(tree: BinnedTree, splits: readonly NodeSplit[]): boolean {
  let innerNodes = 0;
  for (const left of tree.left) if (left >= 0) innerNodes += 1;
  if (innerNodes !== splits.length) return false;
  return splits.every((applied) => {
    if (!((tree.left[applied.node] ?? -1) >= 0)) return false;
    const kept = splitOfNode(tree, applied.node);
    if (kept.left !== applied.left || kept.right !== applied.right || kept.feature !== applied.feature)
      return false;
    if (kept.missingGoesLeft !== applied.missingGoesLeft) return false;
    if (applied.categories === undefined) {
      return kept.categories === undefined && kept.splitBin === applied.splitBin;
    }
    return applied.categories.every((word, i) => kept.categories?.[i] === word);
  });
}
