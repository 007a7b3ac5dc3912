// Moving rows down the tree on the cpu device: splitting a node's run of row indices, and walking whole trees.

import type { BinnedTree } from './binnedTree.ts';
import type { CpuBlock } from './cpuBlock.ts';
import { rowsInOrder } from './cpuBlock.ts';
import { addToMargin, addToWideMargin, highLimb } from './fixedPoint.ts';
import { wideLeafUnits } from './wideLeaf.ts';
import { splitOfNode, writeRoute } from './splitRoute.ts';
import type { DeviceSpec, NodeSplit } from './treeDevice.ts';
import { LIMB_BITS } from './treeDevice.ts';

/** Puts all rows at node 0. */
export function gatherAtRoot(block: CpuBlock): void {
  block.waiting = [];
  block.ranges.clear();
  block.ranges.set(0, { begin: 0, end: block.rows });
}

/** Splits the run of row indices of a node in two, keeping their order. `scratch` holds at least block.rows. */
function partitionBlock(
  spec: DeviceSpec,
  block: CpuBlock,
  split: NodeSplit,
  route: Uint8Array,
  scratch: Uint32Array,
): void {
  const range = block.ranges.get(split.node);
  if (range === undefined) return;
  const { begin, end } = range;
  writeRoute(route, 0, spec.slotsPerFeature[split.feature] ?? 1, split);
  const middle = splitRows(
    rowsInOrder(block),
    block.order,
    scratch,
    block.columns[split.feature]!,
    route,
    begin,
    end,
  );
  block.ranges.delete(split.node);
  block.ranges.set(split.left, { begin, end: middle });
  block.ranges.set(split.right, { begin: middle, end });
}

/** @returns where the rows that go right begin. Its own function, so that the loop is compiled by itself. */
function splitRows(
  source: Uint32Array,
  order: Uint32Array,
  scratch: Uint32Array,
  column: Uint8Array,
  route: Uint8Array,
  begin: number,
  end: number,
): number {
  let left = begin;
  for (let i = begin; i < end; i += 1) {
    // Written to both sides; only the side the row goes to advances, so there is no branch to mispredict.
    const row = source[i]!;
    order[left] = row;
    scratch[i - left] = row;
    left += route[column[row]!]!;
  }
  order.set(scratch.subarray(0, end - left), left);
  return left;
}

/** Carries out the splits that wait. */
export function partitionWaiting(
  spec: DeviceSpec,
  block: CpuBlock,
  route: Uint8Array,
  scratch: Uint32Array,
): void {
  const splits = block.waiting;
  block.waiting = [];
  for (const split of splits) partitionBlock(spec, block, split, route, scratch);
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
  const { margins, rows } = block;
  const { valueFixed } = walkable.tree;
  const base = output * rows;
  for (let row = 0; row < rows; row += 1) {
    margins[base + row] = addToMargin(margins[base + row]!, valueFixed[leafOf(walkable, block, row)]!);
  }
}

function leafOf({ tree, routes }: WalkableTree, { words, wordsPerRow }: CpuBlock, row: number): number {
  const { left, right, feature } = tree;
  let node = 0;
  for (let next = left[0]!; next >= 0; next = left[node]!) {
    const split = feature[node]!;
    const slot = (words[row * wordsPerRow + (split >> 2)]! >>> (8 * (split & 3))) & 255;
    node = routes[node * 256 + slot] === 1 ? next : right[node]!;
  }
  return node;
}

/** As walkBlock for the one output of margins that have two limbs. */
export function walkWideBlock(
  walkable: WalkableTree,
  block: CpuBlock,
  low: Int32Array,
  marginFractionBits: number,
): void {
  const high = block.margins;
  const units = Float64Array.from(walkable.tree.value, (value) => wideLeafUnits(value, marginFractionBits));
  for (let row = 0; row < block.rows; row += 1) {
    const margin = high[row]! * 2 ** LIMB_BITS + low[row]!;
    const sum = addToWideMargin(margin, units[leafOf(walkable, block, row)]!);
    high[row] = highLimb(sum);
    low[row] = sum - high[row]! * 2 ** LIMB_BITS;
  }
}

/**
 * As walkBlock for a block whose rows stand at leaves of the tree, or would once the splits that wait are carried out.
 * Those of the last level never are: the rows get what is at either side of them.
 */
export function addStandingRows(
  spec: DeviceSpec,
  tree: BinnedTree,
  block: CpuBlock,
  output: number,
  route: Uint8Array,
  scratch: Uint32Array,
): void {
  if (!block.waiting.every(({ left, right }) => tree.left[left] === -1 && tree.left[right] === -1)) {
    partitionWaiting(spec, block, route, scratch);
  }
  const order = rowsInOrder(block);
  const margins = block.margins.subarray(output * block.rows, (output + 1) * block.rows);
  const last = new Map(block.waiting.map((split) => [split.node, split]));
  for (const [node, { begin, end }] of block.ranges) {
    const split = last.get(node);
    if (split === undefined) {
      addToRows(margins, order, begin, end, tree.valueFixed[node] ?? 0);
      continue;
    }
    writeRoute(route, 0, spec.slotsPerFeature[split.feature] ?? 1, split);
    const right = tree.valueFixed[split.right] ?? 0;
    const rise = (tree.valueFixed[split.left] ?? 0) - right;
    addBySide(margins, order, begin, end, block.columns[split.feature]!, route, right, rise);
  }
}

function addToRows(margins: Int32Array, order: Uint32Array, begin: number, end: number, value: number): void {
  for (let i = begin; i < end; i += 1) {
    const row = order[i]!;
    margins[row] = addToMargin(margins[row]!, value);
  }
}

function addBySide(
  margins: Int32Array,
  order: Uint32Array,
  begin: number,
  end: number,
  column: Uint8Array,
  route: Uint8Array,
  right: number,
  rise: number,
): void {
  for (let i = begin; i < end; i += 1) {
    const row = order[i]!;
    margins[row] = addToMargin(margins[row]!, right + rise * route[column[row]!]!);
  }
}
