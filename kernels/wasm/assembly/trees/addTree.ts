// Adding a finished tree to the margins.

import {
  columnOf,
  lowMarginsOf,
  marginsOf,
  rangesOf,
  rowBytesOf,
  rowsInOrder,
  rowsOf,
  slotsOf,
} from './block';
import { addToMargin, addToWideMargin } from './fixedPoint';
import { ROWS_PER_TASK } from './kernelNumbers';

// Parameters of a job for rows that stand at the leaves: 0 blocks, 4 output, 8 nodes, 12 what nodes do ([node]: i32 value, u32
// 1 + number of the split that was not carried out, or 0), 16 those splits ([i]: u32 feature, i32 value to the right, i32 how much
// more to the left), 20 their routes, 24 identity.

/** Task: adds a tree to a block whose rows stand at its leaves, or one split above. */
export function addStandingTask(p: usize, task: u32): void {
  const block = <usize>load<u32>(<usize>load<u32>(p) + 4 * <usize>task);
  const margins = marginsOf(block, load<u32>(p, 4));
  const ranges = rangesOf(block);
  const order = rowsInOrder(block, load<u32>(p, 24));
  for (let node: usize = 0; node < <usize>load<u32>(p, 8); node += 1) {
    const from = order + 4 * <usize>load<u32>(ranges + 8 * node);
    const to = order + 4 * <usize>load<u32>(ranges + 8 * node, 4);
    if (from >= to) continue;
    const does = <usize>load<u32>(p, 12) + 8 * node;
    const split = load<u32>(does, 4);
    if (split === 0) addValue(margins, from, to, load<i32>(does));
    else addSides(p, block, margins, from, to, split - 1);
  }
}

function addValue(margins: usize, from: usize, to: usize, value: i32): void {
  for (let at = from; at < to; at += 4) addToMargin(margins + 4 * <usize>load<u32>(at), value);
}

function addSides(p: usize, block: usize, margins: usize, from: usize, to: usize, index: u32): void {
  const split = <usize>load<u32>(p, 16) + 12 * <usize>index;
  const route = <usize>load<u32>(p, 20) + 256 * <usize>index;
  const column = columnOf(block, load<u32>(split));
  const right = load<i32>(split, 4);
  const rise = load<i32>(split, 8);
  for (let at = from; at < to; at += 4) {
    const row = <usize>load<u32>(at);
    const isLeft = <i32>load<u8>(route + <usize>load<u8>(column + row));
    addToMargin(margins + 4 * row, right + rise * isLeft);
  }
}

/**
 * Task: walks a tree for a stretch of a block's rows. Parameters: 0 blocks, 4 tasks a block, 8 output, 12 nodes ([node]: u32 feature,
 * u32 child to the right, u32 child to the left, i32 value; leaves are their own children), 16 routes ([node][256]), 20 depth, 24 values where
 * margins have two limbs ([node]: i64).
 * Four rows at a time: their steps do not wait for one another.
 */
export function walkTask(p: usize, task: u32): void {
  const perBlock = load<u32>(p, 4);
  const block = <usize>load<u32>(<usize>load<u32>(p) + 4 * <usize>(task / perBlock));
  const rows = <usize>rowsOf(block);
  const first = min<usize>(rows, <usize>(task % perBlock) * <usize>ROWS_PER_TASK);
  const end = min<usize>(rows, first + <usize>ROWS_PER_TASK);
  const margins = marginsOf(block, load<u32>(p, 8));
  const rowBytes = rowBytesOf(block);
  const slots = slotsOf(block);
  const nodes = <usize>load<u32>(p, 12);
  const routes = <usize>load<u32>(p, 16);
  const depth = load<u32>(p, 20);
  const lows = lowMarginsOf(block);
  const wide = <usize>load<u32>(p, 24);
  for (let row = first; row < end; row += 4) {
    const s0 = slots + row * rowBytes;
    // Rows after the last are the last once more.
    const s1 = slots + min<usize>(row + 1, end - 1) * rowBytes;
    const s2 = slots + min<usize>(row + 2, end - 1) * rowBytes;
    const s3 = slots + min<usize>(row + 3, end - 1) * rowBytes;
    let n0: usize = 0;
    let n1: usize = 0;
    let n2: usize = 0;
    let n3: usize = 0;
    for (let level: u32 = 0; level < depth; level += 1) {
      n0 = child(nodes, routes, n0, s0);
      n1 = child(nodes, routes, n1, s1);
      n2 = child(nodes, routes, n2, s2);
      n3 = child(nodes, routes, n3, s3);
    }
    if (lows !== 0) {
      addToWideMargin(margins + 4 * row, lows + 4 * row, load<i64>(wide + 8 * n0));
      if (row + 1 < end) addToWideMargin(margins + 4 * row + 4, lows + 4 * row + 4, load<i64>(wide + 8 * n1));
      if (row + 2 < end) addToWideMargin(margins + 4 * row + 8, lows + 4 * row + 8, load<i64>(wide + 8 * n2));
      if (row + 3 < end)
        addToWideMargin(margins + 4 * row + 12, lows + 4 * row + 12, load<i64>(wide + 8 * n3));
      continue;
    }
    addToMargin(margins + 4 * row, load<i32>(nodes + 16 * n0, 12));
    if (row + 1 < end) addToMargin(margins + 4 * row + 4, load<i32>(nodes + 16 * n1, 12));
    if (row + 2 < end) addToMargin(margins + 4 * row + 8, load<i32>(nodes + 16 * n2, 12));
    if (row + 3 < end) addToMargin(margins + 4 * row + 12, load<i32>(nodes + 16 * n3, 12));
  }
}

function child(nodes: usize, routes: usize, node: usize, slots: usize): usize {
  const at = nodes + 16 * node;
  const slot = <usize>load<u8>(slots + <usize>load<u32>(at));
  const isLeft = <usize>load<u8>(routes + 256 * node + slot);
  return <usize>load<u32>(at + 4 * isLeft, 4);
}
