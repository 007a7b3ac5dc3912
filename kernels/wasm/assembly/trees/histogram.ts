// Sums of gradients by node, feature and slot. A cell is a pair (g, h) of doubles; sums of integers are exact in them. One pass
// over the rows for eight features: g and h are added at once, and a row's gradients are loaded once for all of them.

import { rangesOf, rowBytesOf, rowsInOrder, slotsOf } from './block';

/** Rows of a node handled together, so that passes over several groups of features find them in the cache. */
const ROWS_AT_A_TIME: u32 = 8192;

function addPair(cells: usize, slot: usize, pair: v128): void {
  const cell = cells + (slot << 4);
  v128.store(cell, f64x2.add(v128.load(cell), pair));
}

function pairOf(gradients: usize, row: usize): v128 {
  return f64x2.convert_low_i32x4_s(v128.load64_zero(gradients + 8 * row));
}

/** Where a feature's cells begin in a node's. @param first [feature]: u32, first slot. */
function cellsOf(node: usize, first: usize, feature: u32): usize {
  return node + 16 * <usize>load<u32>(first + 4 * <usize>feature);
}

// Written out for eight, six, four, two and one: loops over features take twice as long.

function addEight(
  from: usize,
  to: usize,
  slots: usize,
  rowBytes: usize,
  gradients: usize,
  node: usize,
  first: usize,
  feature: u32,
): void {
  const c0 = cellsOf(node, first, feature);
  const c1 = cellsOf(node, first, feature + 1);
  const c2 = cellsOf(node, first, feature + 2);
  const c3 = cellsOf(node, first, feature + 3);
  const c4 = cellsOf(node, first, feature + 4);
  const c5 = cellsOf(node, first, feature + 5);
  const c6 = cellsOf(node, first, feature + 6);
  const c7 = cellsOf(node, first, feature + 7);
  for (let at = from; at < to; at += 4) {
    const row = <usize>load<u32>(at);
    const pair = pairOf(gradients, row);
    const codes = load<u64>(slots + row * rowBytes);
    addPair(c0, <usize>(codes & 255), pair);
    addPair(c1, <usize>((codes >> 8) & 255), pair);
    addPair(c2, <usize>((codes >> 16) & 255), pair);
    addPair(c3, <usize>((codes >> 24) & 255), pair);
    addPair(c4, <usize>((codes >> 32) & 255), pair);
    addPair(c5, <usize>((codes >> 40) & 255), pair);
    addPair(c6, <usize>((codes >> 48) & 255), pair);
    addPair(c7, <usize>(codes >> 56), pair);
  }
}

function addSix(
  from: usize,
  to: usize,
  slots: usize,
  rowBytes: usize,
  gradients: usize,
  node: usize,
  first: usize,
  feature: u32,
): void {
  const c0 = cellsOf(node, first, feature);
  const c1 = cellsOf(node, first, feature + 1);
  const c2 = cellsOf(node, first, feature + 2);
  const c3 = cellsOf(node, first, feature + 3);
  const c4 = cellsOf(node, first, feature + 4);
  const c5 = cellsOf(node, first, feature + 5);
  for (let at = from; at < to; at += 4) {
    const row = <usize>load<u32>(at);
    const pair = pairOf(gradients, row);
    const codes = load<u64>(slots + row * rowBytes);
    addPair(c0, <usize>(codes & 255), pair);
    addPair(c1, <usize>((codes >> 8) & 255), pair);
    addPair(c2, <usize>((codes >> 16) & 255), pair);
    addPair(c3, <usize>((codes >> 24) & 255), pair);
    addPair(c4, <usize>((codes >> 32) & 255), pair);
    addPair(c5, <usize>((codes >> 40) & 255), pair);
  }
}

function addFour(
  from: usize,
  to: usize,
  slots: usize,
  rowBytes: usize,
  gradients: usize,
  node: usize,
  first: usize,
  feature: u32,
): void {
  const c0 = cellsOf(node, first, feature);
  const c1 = cellsOf(node, first, feature + 1);
  const c2 = cellsOf(node, first, feature + 2);
  const c3 = cellsOf(node, first, feature + 3);
  for (let at = from; at < to; at += 4) {
    const row = <usize>load<u32>(at);
    const pair = pairOf(gradients, row);
    const codes = load<u32>(slots + row * rowBytes);
    addPair(c0, <usize>(codes & 255), pair);
    addPair(c1, <usize>((codes >> 8) & 255), pair);
    addPair(c2, <usize>((codes >> 16) & 255), pair);
    addPair(c3, <usize>(codes >> 24), pair);
  }
}

function addTwo(
  from: usize,
  to: usize,
  slots: usize,
  rowBytes: usize,
  gradients: usize,
  node: usize,
  first: usize,
  feature: u32,
): void {
  const c0 = cellsOf(node, first, feature);
  const c1 = cellsOf(node, first, feature + 1);
  for (let at = from; at < to; at += 4) {
    const row = <usize>load<u32>(at);
    const pair = pairOf(gradients, row);
    addPair(c0, <usize>load<u8>(slots + row * rowBytes), pair);
    addPair(c1, <usize>load<u8>(slots + row * rowBytes, 1), pair);
  }
}

function addOne(
  from: usize,
  to: usize,
  slots: usize,
  rowBytes: usize,
  gradients: usize,
  node: usize,
  first: usize,
  feature: u32,
): void {
  const cells = cellsOf(node, first, feature);
  for (let at = from; at < to; at += 4) {
    const row = <usize>load<u32>(at);
    addPair(cells, <usize>load<u8>(slots + row * rowBytes), pairOf(gradients, row));
  }
}

/** Adds the rows of a stretch of the order to a node's cells, of the features [feature, end). */
function addFeatures(
  from: usize,
  to: usize,
  block: usize,
  gradients: usize,
  node: usize,
  first: usize,
  begin: u32,
  end: u32,
): void {
  const rowBytes = rowBytesOf(block);
  let feature = begin;
  while (feature < end) {
    const slots = slotsOf(block) + <usize>feature;
    const left = end - feature;
    if (left >= 8) {
      addEight(from, to, slots, rowBytes, gradients, node, first, feature);
      feature += 8;
    } else if (left >= 6) {
      addSix(from, to, slots, rowBytes, gradients, node, first, feature);
      feature += 6;
    } else if (left >= 4) {
      addFour(from, to, slots, rowBytes, gradients, node, first, feature);
      feature += 4;
    } else if (left >= 2) {
      addTwo(from, to, slots, rowBytes, gradients, node, first, feature);
      feature += 2;
    } else {
      addOne(from, to, slots, rowBytes, gradients, node, first, feature);
      feature += 1;
    }
  }
}

/**
 * Adds the `part`th of `parts` stretches of each node's rows.
 * @param nodes [i]: u32. @param cells [i][slot][g, h]: doubles. @param nodeBytes of a node's cells.
 */
export function addBlock(
  block: usize,
  gradients: usize,
  nodes: usize,
  count: u32,
  part: u32,
  parts: u32,
  identity: usize,
  cells: usize,
  nodeBytes: usize,
  first: usize,
  begin: u32,
  end: u32,
): void {
  const ranges = rangesOf(block);
  const order = rowsInOrder(block, identity);
  for (let i: u32 = 0; i < count; i += 1) {
    const range = ranges + 8 * <usize>load<u32>(nodes + 4 * <usize>i);
    const start = load<u32>(range);
    const rows = load<u32>(range, 4) - start;
    const stretch = (rows + parts - 1) / parts;
    const last = start + min<u32>(rows, stretch * (part + 1));
    for (let row = start + min<u32>(rows, stretch * part); row < last; row += ROWS_AT_A_TIME) {
      const from = order + 4 * <usize>row;
      const to = order + 4 * <usize>min<u32>(last, row + ROWS_AT_A_TIME);
      addFeatures(from, to, block, gradients, cells + nodeBytes * <usize>i, first, begin, end);
    }
  }
}
