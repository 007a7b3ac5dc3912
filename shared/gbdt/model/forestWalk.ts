// Sends rows down the trees of a flat forest. Rows go down four together, so that the processor has work while the loads
// of one are on their way.

import type { FlatForest } from './flatForest.ts';
import { BLOCK_ROWS, fillRowBlock, makeRowBlock, type RowBlock } from './rowSlots.ts';

/** Positions of nodes to indices of leafValues. */
const NODE_SHIFT = 2;

export class ForestWalk {
  readonly #forest: FlatForest;
  readonly #block: RowBlock;
  readonly #leaves = new Int32Array(BLOCK_ROWS);

  constructor(forest: FlatForest) {
    this.#forest = forest;
    this.#block = makeRowBlock(forest.slots);
  }

  /**
   * A block of rows at a time, each through trees [first, end) in their order.
   * @param columns one a feature of the forest, `rows` values each.
   * @param visit receives the leaves of rows [start, start + count) in tree `t` as indices of the forest's leafValues;
   *   `leaves` is used again.
   */
  forEachLeaf(
    columns: readonly Float32Array[],
    rows: number,
    first: number,
    end: number,
    visit: (leaves: Int32Array, t: number, start: number, count: number) => void,
  ): void {
    const { nodes, sets, roots, steps, hasCategories, slots } = this.#forest;
    const block = this.#block;
    const leaves = this.#leaves;
    for (let start = 0; start < rows; start += BLOCK_ROWS) {
      const count = Math.min(BLOCK_ROWS, rows - start);
      fillRowBlock(slots, block, columns, start, count);
      for (let t = first; t < end; t += 1) {
        const root = roots[t]!;
        const most = steps[t]!;
        if (hasCategories[t] === 1) walkMixed(nodes, sets, block.keys, leaves, root, most, count);
        else walkNumeric(nodes, block.keys, leaves, root, most, count);
        visit(leaves, t, start, count);
      }
    }
  }
}

/** @param steps 0 when each row shall stop at its leaf rather than wait there for the others. */
function walkNumeric(
  nodes: Int32Array,
  keys: Int32Array,
  leaves: Int32Array,
  root: number,
  steps: number,
  count: number,
): void {
  const together = steps > 0 ? count - (count % 4) : 0;
  for (let row = 0; row < together; row += 4) {
    let a = root;
    let b = root;
    let c = root;
    let d = root;
    for (let rest = steps; rest > 0; rest -= 1) {
      a = numericChild(nodes, keys, row, a);
      b = numericChild(nodes, keys, row + 1, b);
      c = numericChild(nodes, keys, row + 2, c);
      d = numericChild(nodes, keys, row + 3, d);
    }
    leaves[row] = a >> NODE_SHIFT;
    leaves[row + 1] = b >> NODE_SHIFT;
    leaves[row + 2] = c >> NODE_SHIFT;
    leaves[row + 3] = d >> NODE_SHIFT;
  }
  for (let row = together; row < count; row += 1) {
    let at = root;
    while (nodes[at + 2]! !== at) at = numericChild(nodes, keys, row, at);
    leaves[row] = at >> NODE_SHIFT;
  }
}

function numericChild(nodes: Int32Array, keys: Int32Array, row: number, at: number): number {
  return nodes[at + 2]! + (Number(keys[nodes[at]! + row]! >= nodes[at + 1]!) << NODE_SHIFT);
}

/** walkNumeric for trees with categories. */
function walkMixed(
  nodes: Int32Array,
  sets: Int32Array,
  keys: Int32Array,
  leaves: Int32Array,
  root: number,
  steps: number,
  count: number,
): void {
  const together = steps > 0 ? count - (count % 4) : 0;
  for (let row = 0; row < together; row += 4) {
    let a = root;
    let b = root;
    let c = root;
    let d = root;
    for (let rest = steps; rest > 0; rest -= 1) {
      a = mixedChild(nodes, sets, keys, row, a);
      b = mixedChild(nodes, sets, keys, row + 1, b);
      c = mixedChild(nodes, sets, keys, row + 2, c);
      d = mixedChild(nodes, sets, keys, row + 3, d);
    }
    leaves[row] = a >> NODE_SHIFT;
    leaves[row + 1] = b >> NODE_SHIFT;
    leaves[row + 2] = c >> NODE_SHIFT;
    leaves[row + 3] = d >> NODE_SHIFT;
  }
  for (let row = together; row < count; row += 1) {
    let at = root;
    while (nodes[at + 2]! !== at) at = mixedChild(nodes, sets, keys, row, at);
    leaves[row] = at >> NODE_SHIFT;
  }
}

/** Which kind of node comes next is hard to foresee, so both answers are computed. */
function mixedChild(nodes: Int32Array, sets: Int32Array, keys: Int32Array, row: number, at: number): number {
  const slot = nodes[at]!;
  const key = keys[slot + row]!;
  const isCategory = slot & 1;
  const reachesBound = Number(key >= nodes[at + 1]!);
  // Categories beyond the set's end read its first bit and then go left; numbers read the empty set.
  const bit = key & (reachesBound - 1) & -isCategory;
  const isInSet = (sets[nodes[at + 3]! + (bit >>> 5)]! >>> (bit & 31)) & ~reachesBound & 1;
  return nodes[at + 2]! + (((reachesBound & ~isCategory) | isInSet) << NODE_SHIFT);
}
