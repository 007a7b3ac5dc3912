// How sums over the rows of a [rows, columns] matrix are cut into workgroups: neighbouring lanes read neighbouring
// columns, the rows of a workgroup go to its lanes in turn, and a tree adds the lanes up. Blocks of rows are then
// summed by a second dispatch. Every order is fixed, so the same rows give the same bits each time.

import type { VectorWidth } from './vectors.ts';
import { widthOf } from './vectors.ts';

export interface ColumnBlocks {
  readonly width: VectorWidth;
  /** Vectors of a row. */
  readonly vectors: number;
  /** Lanes side by side in a workgroup; a power of two. */
  readonly columnLanes: number;
  readonly rowLanes: number;
  readonly columnGroups: number;
  readonly rowsPerBlock: number;
  readonly maxBlocks: number;
}

const WORKGROUP_SIZE = 256;
/** Enough workgroups to fill a large GPU, few enough that the second dispatch is short. */
const TARGET_WORKGROUPS = 512;
/** Rows of a lane below which its part of the tree costs more than its sum. */
const LEAST_ROWS_PER_LANE = 8;

export function columnBlocks(columns: number, maxRows: number): ColumnBlocks {
  const width = widthOf(columns);
  const vectors = columns / width;
  let columnLanes = 1;
  while (columnLanes < vectors && columnLanes < 64) columnLanes *= 2;
  const rowLanes = WORKGROUP_SIZE / columnLanes;
  const columnGroups = Math.ceil(vectors / columnLanes);
  const blocks = Math.max(1, Math.floor(TARGET_WORKGROUPS / columnGroups));
  const rowsPerBlock = Math.max(LEAST_ROWS_PER_LANE * rowLanes, Math.ceil(maxRows / blocks));
  return {
    width,
    vectors,
    columnLanes,
    rowLanes,
    columnGroups,
    rowsPerBlock,
    maxBlocks: Math.max(1, Math.ceil(maxRows / rowsPerBlock)),
  };
}

export { WORKGROUP_SIZE as COLUMN_WORKGROUP_SIZE };

/** `addUp(lane, value)`: the sum of `value` over the row lanes, for every lane of the column. All lanes must call it. */
export function treeWgsl(blocks: ColumnBlocks): string {
  return `
var<workgroup> tree: array<T, ${WORKGROUP_SIZE}>;
fn addUp(lane: u32, value: T) -> T {
  tree[lane] = value;
  for (var stride = ${WORKGROUP_SIZE / 2}u; stride >= ${blocks.columnLanes}u; stride = stride / 2u) {
    // All lanes of the last round have written.
    workgroupBarrier();
    if (lane < stride) { tree[lane] += tree[lane + stride]; }
  }
  workgroupBarrier();
  let sum = tree[lane % ${blocks.columnLanes}u];
  // Everybody has read before the next sum begins.
  workgroupBarrier();
  return sum;
}`;
}

/** `column` and `rowLane` of this lane. Columns past the end must not be touched. */
export function laneWgsl(blocks: ColumnBlocks): string {
  return `
  let column = group.x * ${blocks.columnLanes}u + lane % ${blocks.columnLanes}u;
  let rowLane = lane / ${blocks.columnLanes}u;
  let inside = column < ${blocks.vectors}u;`;
}
