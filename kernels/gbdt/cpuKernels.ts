// The loops of the cpu device over one block. Each is a function of typed arrays.

import type { BinnedTree } from './binnedTree.ts';
import type { CpuBlock } from './cpuBlock.ts';
import { addToMargin, multiplyShift, multiplyShiftSigned } from './fixedPoint.ts';
import type { GradientTables } from './gradients.ts';
import { gradientOfRow } from './gradients.ts';
import type { HistogramLayout } from './histogramLayout.ts';
import { rowHash } from './rowHash.ts';
import { splitOfNode, writeRoute } from './splitRoute.ts';
import type { DeviceSpec, NodeSplit } from './treeDevice.ts';

/** Fills block.gradients for `output` and puts all rows at node 0. */
export function beginBlock(
  spec: DeviceSpec,
  tables: GradientTables,
  block: CpuBlock,
  round: number,
  output: number,
): void {
  const { gradients, weights, order } = block;
  const { seed, threshold } = spec.sampling;
  for (let row = 0; row < block.rows; row += 1) {
    const taken = threshold >= 2 ** 32 || rowHash(seed, round, block.firstRow + row) < threshold;
    let [g, h] = taken ? gradientOfRow(spec, tables, block.margins, block.labels, row, output) : [0, 0];
    const weight = weights?.[row];
    if (weight !== undefined) {
      g = multiplyShiftSigned(g, weight);
      h = multiplyShift(h, weight);
    }
    gradients[2 * row] = g;
    gradients[2 * row + 1] = h;
    order[row] = row;
  }
  block.ranges.clear();
  block.ranges.set(0, { begin: 0, end: block.rows });
}

/** Adds the gradients of the rows at `node` to histogram[at..], laid out [feature][slot][g, h]. */
export function addHistogram(
  layout: HistogramLayout,
  block: CpuBlock,
  node: number,
  histogram: Float64Array,
  at: number,
): void {
  const range = block.ranges.get(node);
  if (range === undefined) return;
  const { slots, gradients, order } = block;
  const { features, firstSlot } = layout;
  for (let i = range.begin; i < range.end; i += 1) {
    const row = order[i] ?? 0;
    const g = gradients[2 * row] ?? 0;
    const h = gradients[2 * row + 1] ?? 0;
    for (let feature = 0, code = row * features; feature < features; feature += 1, code += 1) {
      const cell = at + 2 * ((firstSlot[feature] ?? 0) + (slots[code] ?? 0));
      histogram[cell] = (histogram[cell] ?? 0) + g;
      histogram[cell + 1] = (histogram[cell + 1] ?? 0) + h;
    }
  }
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
  const stride = spec.slotsPerFeature.length;
  writeRoute(route, 0, spec.slotsPerFeature[split.feature] ?? 1, split);
  const { order, slots } = block;
  let left = range.begin;
  let right = 0;
  for (let i = range.begin; i < range.end; i += 1) {
    // Written to both sides; only the side the row goes to advances, so there is no branch to mispredict.
    const row = order[i] ?? 0;
    const goesLeft = route[slots[row * stride + split.feature] ?? 0] ?? 0;
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

/** A tree made ready for walking: a route table for each inner node. */
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

/** Adds to the margins of `output` what each row gets from the tree, walking from `start`; `rows` lists who walks. */
export function walkBlock(
  walkable: WalkableTree,
  block: CpuBlock,
  stride: number,
  output: number,
  start: number,
  rows: Uint32Array | undefined,
): void {
  const { slots, margins } = block;
  const { left, right, feature, valueFixed } = walkable.tree;
  const { routes } = walkable;
  const base = output * block.rows;
  const count = rows?.length ?? block.rows;
  for (let i = 0; i < count; i += 1) {
    const row = rows?.[i] ?? i;
    let node = start;
    for (let next = left[node] ?? -1; next >= 0; next = left[node] ?? -1) {
      const goesLeft = routes[node * 256 + (slots[row * stride + (feature[node] ?? 0)] ?? 0)] === 1;
      node = goesLeft ? next : (right[node] ?? -1);
    }
    margins[base + row] = addToMargin(margins[base + row] ?? 0, valueFixed[node] ?? 0);
  }
}
