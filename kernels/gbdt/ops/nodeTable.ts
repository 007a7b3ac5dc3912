// Splits and tree nodes as the GPU reads them: twelve words each, with the direction of every slot as a bit mask, so
// that numeric, categorical and missing values need no cases of their own.

import { highLimb } from '../fixedPoint.ts';
import type { BinnedTree } from '../binnedTree.ts';
import { splitOfNode, writeRoute } from '../splitRoute.ts';
import type { NodeSplit } from '../treeDevice.ts';
import { LIMB_BITS } from '../treeDevice.ts';

/** feature, left, right, leaf value, then eight mask words: bit s set sends slot s left. */
export const WORDS_PER_NODE = 12;
/** `left` of a leaf. */
export const LEAF = 0xffffffff;

export const nodeTableWgsl = `
struct Node {
  feature: u32,
  left: u32,
  right: u32,
  value: i32,
  goesLeft: array<u32, 8>,
}
fn slotGoesLeft(mask: u32, slot: u32) -> bool { return ((mask >> (slot & 31u)) & 1u) == 1u; }`;

function writeNode(table: Int32Array, at: number, split: NodeSplit, slots: number, route: Uint8Array): void {
  writeRoute(route, 0, slots, split);
  table[at] = split.feature;
  table[at + 1] = split.left;
  table[at + 2] = split.right;
  for (let slot = 0; slot < slots; slot += 1) {
    const word = at + 4 + (slot >> 5);
    table[word] = (table[word] ?? 0) | ((route[slot] ?? 0) << (slot & 31));
  }
}

export function splitTable(
  slotsPerFeature: readonly number[],
  splits: readonly NodeSplit[],
): Int32Array<ArrayBuffer> {
  const table = new Int32Array(splits.length * WORDS_PER_NODE);
  const route = new Uint8Array(256);
  splits.forEach((split, i) => {
    writeNode(table, i * WORDS_PER_NODE, split, slotsPerFeature[split.feature] ?? 1, route);
  });
  return table;
}

/** @param wideUnits leaf values in units of two limbs, where margins have two: the low one takes a leaf's first mask word. */
export function treeTable(
  slotsPerFeature: readonly number[],
  tree: BinnedTree,
  wideUnits?: Float64Array,
): Int32Array<ArrayBuffer> {
  const nodes = tree.left.length;
  const table = new Int32Array(nodes * WORDS_PER_NODE);
  const route = new Uint8Array(256);
  for (let node = 0; node < nodes; node += 1) {
    const at = node * WORDS_PER_NODE;
    table[at + 1] = LEAF;
    table[at + 3] = tree.valueFixed[node] ?? 0;
    if ((tree.left[node] ?? -1) < 0) {
      if (!wideUnits) continue;
      const high = highLimb(wideUnits[node] ?? 0);
      table[at + 3] = high;
      table[at + 4] = (wideUnits[node] ?? 0) - high * 2 ** LIMB_BITS;
      continue;
    }
    const split = splitOfNode(tree, node);
    writeNode(table, at, split, slotsPerFeature[split.feature] ?? 1, route);
  }
  return table;
}

/** [node] index in `nodes`, or `none` for those not listed. */
export function indexOfNodes(nodes: Iterable<number>, none: number): Uint32Array<ArrayBuffer> {
  const listed = [...nodes];
  const index = new Uint32Array(Math.max(0, ...listed) + 1).fill(none);
  listed.forEach((node, i) => {
    index[node] = i;
  });
  return index;
}
