// Finished trees in the terms of the kernels that add them to margins.

import type { WasmHeap } from '../../wasm/wasmHeap.ts';
import type { BinnedTree } from '../binnedTree.ts';
import { splitOfNode, writeRoute } from '../splitRoute.ts';
import type { DeviceSpec, NodeSplit } from '../treeDevice.ts';
import { hasWideMargins } from '../treeDevice.ts';
import { wideLeafUnits } from '../wideLeaf.ts';
import type { TreeLists } from './heapLists.ts';

/** Margins saturate at half of this, so more makes no difference, and sums stay within 32 bits. */
const MOST_VALUE = 2 ** 30;

function valueOf(tree: BinnedTree, node: number): number {
  return Math.max(-MOST_VALUE, Math.min(MOST_VALUE, tree.valueFixed[node] ?? 0));
}

/** Writes the routes of splits: 256 bytes each, 1 for what goes left. @returns their address. */
export function writeRoutes(
  heap: WasmHeap,
  lists: TreeLists,
  spec: DeviceSpec,
  splits: readonly NodeSplit[],
): number {
  const at = lists.routes.reserve(256 * splits.length);
  const routes = heap.view('u8', at, 256 * splits.length);
  splits.forEach((split, i) => writeRoute(routes, 256 * i, spec.slotsPerFeature[split.feature] ?? 1, split));
  return at;
}

/**
 * What the nodes at which rows stand do to them: leaves add their value, nodes of splits that wait that of the side.
 * @returns addresses for assembly/trees/addTree.ts.
 */
export function writeStanding(
  heap: WasmHeap,
  lists: TreeLists,
  spec: DeviceSpec,
  tree: BinnedTree,
  waiting: readonly NodeSplit[],
): { readonly does: number; readonly splits: number; readonly routes: number } {
  const nodes = tree.left.length;
  const routes = writeRoutes(heap, lists, spec, waiting);
  const does = lists.nodes.reserve(8 * nodes);
  const splits = lists.splits.reserve(12 * waiting.length);
  const words = heap.view('i32', does, 2 * nodes);
  for (let node = 0; node < nodes; node += 1) {
    words[2 * node] = valueOf(tree, node);
    words[2 * node + 1] = 0;
  }
  const sides = heap.view('i32', splits, 3 * waiting.length);
  waiting.forEach((split, i) => {
    words[2 * split.node + 1] = i + 1;
    const right = valueOf(tree, split.right);
    sides.set([split.feature, right, valueOf(tree, split.left) - right], 3 * i);
  });
  return { does, splits, routes };
}

/** Values in units of margins of two limbs, [node]: i64. */
function writeWideValues(heap: WasmHeap, lists: TreeLists, spec: DeviceSpec, tree: BinnedTree): number {
  const at = lists.wideValues.reserve(8 * tree.value.length);
  const words = heap.view('i32', at, 2 * tree.value.length);
  tree.value.forEach((value, node) => {
    const units = wideLeafUnits(value, spec.marginFractionBits);
    words[2 * node] = units;
    words[2 * node + 1] = Math.floor(units / 2 ** 32);
  });
  return at;
}

/** A tree for walking; leaves are their own children. @returns addresses, and how many steps reach every leaf. */
export function writeWalk(
  heap: WasmHeap,
  lists: TreeLists,
  spec: DeviceSpec,
  tree: BinnedTree,
): { readonly nodes: number; readonly routes: number; readonly depth: number; readonly wide: number } {
  const count = tree.left.length;
  const at = lists.nodes.reserve(16 * count);
  const routesAt = lists.routes.reserve(256 * count);
  const wide = hasWideMargins(spec) ? writeWideValues(heap, lists, spec, tree) : 0;
  const words = heap.view('i32', at, 4 * count);
  const routes = heap.view('u8', routesAt, 256 * count);
  const depths = new Int32Array(count);
  let depth = 0;
  for (let node = 0; node < count; node += 1) {
    const left = tree.left[node]!;
    if (left < 0) {
      words.set([0, node, node, valueOf(tree, node)], 4 * node);
      routes.fill(0, 256 * node, 256 * node + 256);
      continue;
    }
    const split = splitOfNode(tree, node);
    writeRoute(routes, 256 * node, spec.slotsPerFeature[split.feature] ?? 1, split);
    words.set([split.feature, split.right, left, 0], 4 * node);
    // Children follow their parents.
    const below = depths[node]! + 1;
    depths[left] = below;
    depths[split.right] = below;
    depth = Math.max(depth, below);
  }
  return { nodes: at, routes: routesAt, depth, wide };
}
