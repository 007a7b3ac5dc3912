// Moving rows down the tree on the cpu device: splitting a node's run of row indices, and walking whole trees.

import type { BinnedTree } from './binnedTree.ts';
import type { CpuBlock } from './cpuBlock.ts';
import { addToMargin } from './fixedPoint.ts';
import { splitOfNode, writeRoute } from './splitRoute.ts';
import type { DeviceSpec, NodeSplit } from './treeDevice.ts';

/** Puts all rows at node 0. `identity` counts up from zero. */
export function gatherAtRoot(block: CpuBlock, identity: Uint32Array): void {
  block.order.set(identity.subarray(0, block.rows));
  block.ranges.clear();
  block.ranges.set(0, { begin: 0, end: block.rows });
}

/** Splits the run of row indices of a node in two, keeping their order. `scratch` holds at least block.rows. */
export function partitionBlock(
  spec: DeviceSpec,
  block: CpuBlock,
  split: NodeSplit,
  route: Uint8Array,
  scratch: Uint32Array,
): void {
  const range = block.ranges.get(split.node);
  if (range === undefined) return;
  writeRoute(route, 0, spec.slotsPerFeature[split.feature] ?? 1, split);
  const { order } = block;
  const column = block.columns[split.feature]!;
  let left = range.begin;
  let right = 0;
  for (let i = range.begin; i < range.end; i += 1) {
    // Written to both sides; only the side the row goes to advances, so there is no branch to mispredict.
    const row = order[i]!;
    const goesLeft = route[column[row]!]!;
    order[left] = row;
    scratch[right] = row;
    left += goesLeft;
    right += 1 - goesLeft;
  }
  order.set(scratch.subarray(0, right), left);
  block.ranges.delete(split.node);
  block.ranges.set(split.left, { begin: range.begin, end: left });
  block.ranges.set(split.right, { begin: left, end: range.end });
}

/** A tree made ready for walking. */
export interface WalkableTree {
  readonly tree: BinnedTree;
  /** [node][256]: 1 sends the slot left. */
  readonly routes: Uint8Array;
}

export function makeWalkable(spec: DeviceSpec, tree: BinnedTree): WalkableTree {
  const routes = new Uint8Array(tree.left.length * 256);
  for (let node = 0; node < tree.left.length; node += 1) {
    if ((tree.left[node] ?? -1) < 0) continue;
    const split = splitOfNode(tree, node);
    writeRoute(routes, node * 256, spec.slotsPerFeature[split.feature] ?? 1, split);
  }
  return { tree, routes };
}

/** Adds what each of the block's rows gets from the tree to the margins of `output`. */
export function walkBlock(walkable: WalkableTree, block: CpuBlock, output: number): void {
  const { words, wordsPerRow, margins, rows } = block;
  const { routes } = walkable;
  const { left, right, feature, valueFixed } = walkable.tree;
  const base = output * rows;
  for (let row = 0; row < rows; row += 1) {
    let node = 0;
    for (let next = left[0]!; next >= 0; next = left[node]!) {
      const split = feature[node]!;
      const slot = (words[row * wordsPerRow + (split >> 2)]! >>> (8 * (split & 3))) & 255;
      node = routes[node * 256 + slot] === 1 ? next : right[node]!;
    }
    margins[base + row] = addToMargin(margins[base + row]!, valueFixed[node]!);
  }
}

/** As walkBlock for a block whose rows already stand at leaves of the tree. */
export function addStandingRows(tree: BinnedTree, block: CpuBlock, output: number): void {
  const { order, margins } = block;
  const base = output * block.rows;
  for (const [node, { begin, end }] of block.ranges) {
    const value = tree.valueFixed[node] ?? 0;
    for (let i = begin; i < end; i += 1) {
      const at = base + order[i]!;
      margins[at] = addToMargin(margins[at]!, value);
    }
  }
}
