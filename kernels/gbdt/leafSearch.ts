// The leaf at which each row of a block ends. All rows go one level on before any goes two: their steps do not wait for one
// another then, which is half as long as walking the tree row by row.

import type { BinnedTree } from './binnedTree.ts';
import type { CpuBlock } from './cpuBlock.ts';
import { splitOfNode, writeRoute } from './splitRoute.ts';
import type { DeviceSpec } from './treeDevice.ts';

/** Rows whose words stay in the cache over all levels. */
const ROWS_AT_A_TIME = 2048;
const SLOT_BITS = 8;

/** A tree made ready for finding leaves. */
export interface SearchableTree {
  readonly depth: number;
  /** [inner node][slot]: the node that the slot leads to, numbered as below. */
  readonly next: Int32Array;
  readonly wordOf: Int32Array;
  readonly shiftOf: Int32Array;
  /** Inner nodes come first: whoever has a number from here on stands at a leaf. */
  readonly innerNodes: number;
  /** The tree's own number of each node. */
  readonly nodeOf: Int32Array;
}

export function makeSearchable(spec: DeviceSpec, tree: BinnedTree): SearchableTree {
  const nodes = tree.left.length;
  const inner = Array.from(tree.left.keys()).filter((node) => tree.left[node]! >= 0);
  const leaves = Array.from(tree.left.keys()).filter((node) => tree.left[node]! < 0);
  const nodeOf = Int32Array.from([...inner, ...leaves]);
  const numberOf = new Int32Array(nodes);
  nodeOf.forEach((node, number) => (numberOf[node] = number));
  const next = new Int32Array(inner.length << SLOT_BITS);
  const route = new Uint8Array(256);
  const depths = new Int32Array(nodes);
  inner.forEach((node, number) => {
    const split = splitOfNode(tree, node);
    writeRoute(route, 0, spec.slotsPerFeature[split.feature] ?? 1, split);
    const [left, right] = [numberOf[split.left]!, numberOf[split.right]!];
    for (let slot = 0; slot < 256; slot += 1)
      next[(number << SLOT_BITS) | slot] = route[slot] === 1 ? left : right;
    depths[split.left] = depths[node]! + 1;
    depths[split.right] = depths[node]! + 1;
  });
  const features = inner.map((node) => tree.feature[node]!);
  return {
    depth: depths.reduce((most, depth) => Math.max(most, depth), 0),
    next,
    wordOf: Int32Array.from(features, (feature) => feature >> 2),
    shiftOf: Int32Array.from(features, (feature) => 8 * (feature & 3)),
    innerNodes: inner.length,
    nodeOf,
  };
}

/** @param leaves receives the number of each row's leaf in the searchable tree. */
export function findLeaves(
  { depth, next, wordOf, shiftOf, innerNodes }: SearchableTree,
  { words, wordsPerRow, rows }: CpuBlock,
  leaves: Int32Array,
): void {
  if (depth === 0) {
    leaves.fill(0, 0, rows);
    return;
  }
  const [rootWord, rootShift] = [wordOf[0]!, shiftOf[0]!];
  for (let begin = 0; begin < rows; begin += ROWS_AT_A_TIME) {
    const end = Math.min(rows, begin + ROWS_AT_A_TIME);
    for (let row = begin; row < end; row += 1)
      leaves[row] = next[(words[row * wordsPerRow + rootWord]! >>> rootShift) & 255]!;
    for (let level = 1; level < depth; level += 1) {
      for (let row = begin; row < end; row += 1) {
        const node = leaves[row]!;
        if (node >= innerNodes) continue;
        const slot = (words[row * wordsPerRow + wordOf[node]!]! >>> shiftOf[node]!) & 255;
        leaves[row] = next[(node << SLOT_BITS) | slot]!;
      }
    }
  }
}
