// How sums over the rows of a [rows, columns] matrix are cut into workgroups: neighbouring lanes read neighbouring
// columns, the rows of a workgroup go to its lanes in turn, and the lanes are added up. Blocks of rows are then
// summed by a second dispatch; where there are few rows, one dispatch does it all. Every order is fixed, so the same rows
// give the same bits each time.

import type { KernelContext } from '../kernelCall.ts';
import type { AdapterClass } from '../product/chooseTile.ts';
import type { VectorWidth } from './vectors.ts';
import { widthOf } from './vectors.ts';

/**
 * What factories of such sums are told. Software adapters (SwiftShader, llvmpipe) compile kernels with barriers for
 * seconds and run them slowly: there each lane sums whole columns of a block.
 */
export interface ReductionContext extends KernelContext {
  readonly adapter: AdapterClass;
}

export interface ColumnBlocks {
  readonly width: VectorWidth;
  /** Vectors of a row. */
  readonly vectors: number;
  /** Lanes side by side in a workgroup; a power of two. */
  readonly columnLanes: number;
  readonly rowLanes: number;
  readonly workgroupSize: number;
  readonly columnGroups: number;
  readonly rowsPerBlock: number;
  readonly maxBlocks: number;
}

/** How a workgroup is laid over the matrix. */
type Lanes = Pick<
  ColumnBlocks,
  'columnGroups' | 'columnLanes' | 'rowLanes' | 'vectors' | 'width' | 'workgroupSize'
>;

const WORKGROUP_SIZE = 256;
/** Enough workgroups to fill a large GPU, or a few cores; few enough that the second dispatch is short. */
const TARGET_WORKGROUPS: Readonly<Record<AdapterClass, number>> = { gpu: 512, software: 16 };
/** Rows of a lane below which its part of the tree costs more than its sum. */
const LEAST_ROWS_PER_LANE = 8;

/** Floats side by side in a workgroup with few rows a lane: 32 bytes, which is what caches of GPUs fetch at once. */
const NARROW_FLOATS = 8;
/** Rows of a lane up to which one dispatch without blocks takes no longer than either of two: it is all latency. */
const MOST_ROWS_AT_ONCE = 16;

function lanesOf(columns: number, mostColumnLanes: number, adapter: AdapterClass): Lanes {
  const width = widthOf(columns);
  const vectors = columns / width;
  let columnLanes = 1;
  while (columnLanes < vectors && columnLanes < mostColumnLanes) columnLanes *= 2;
  const rowLanes = adapter === 'gpu' ? WORKGROUP_SIZE / columnLanes : 1;
  const columnGroups = Math.ceil(vectors / columnLanes);
  return { width, vectors, columnLanes, rowLanes, workgroupSize: columnLanes * rowLanes, columnGroups };
}

/** Few columns and many rows a workgroup: as short as it gets when there are few rows. */
function narrowLanes(columns: number): Lanes {
  return lanesOf(columns, NARROW_FLOATS / widthOf(columns), 'gpu');
}

export function columnBlocks(columns: number, maxRows: number, adapter: AdapterClass): ColumnBlocks {
  const narrow = narrowLanes(columns);
  if (adapter === 'gpu' && maxRows <= MOST_ROWS_AT_ONCE * narrow.rowLanes) {
    return { ...narrow, rowsPerBlock: maxRows, maxBlocks: 1 };
  }
  const lanes = lanesOf(columns, 64, adapter);
  const blocks = Math.max(1, Math.floor(TARGET_WORKGROUPS[adapter] / lanes.columnGroups));
  const rowsPerBlock = Math.max(LEAST_ROWS_PER_LANE * lanes.rowLanes, Math.ceil(maxRows / blocks));
  return { ...lanes, rowsPerBlock, maxBlocks: Math.max(1, Math.ceil(maxRows / rowsPerBlock)) };
}

/** For the second dispatch, whose rows are the blocks of the first. */
export function mergingBlocks(columns: number, blocks: ColumnBlocks, adapter: AdapterClass): ColumnBlocks {
  return adapter === 'gpu' ? { ...blocks, ...narrowLanes(columns) } : blocks;
}

/** Values that one lane adds up alone: two rounds of such sums cost less than a tree with a barrier a level. */
const MOST_SERIAL = 16;

/** `addUp(lane, value)`: the sum of `value` over the row lanes, for every lane of the column. All lanes must call it. */
export function addUpWgsl({ columnLanes, rowLanes, workgroupSize }: Lanes): string {
  if (rowLanes === 1) return 'fn addUp(lane: u32, value: T) -> T { return value; }';
  const groups = rowLanes <= MOST_SERIAL ? rowLanes : Math.ceil(rowLanes / MOST_SERIAL);
  const first = `
  if (lane < ${groups * columnLanes}u) {
    var part = T(0.0f);
    for (var k = lane; k < ${workgroupSize}u; k += ${groups * columnLanes}u) { part += lanes[k]; }
    lanes[lane] = part;
  }
  // The parts are there.
  workgroupBarrier();`;
  return `
var<workgroup> lanes: array<T, ${workgroupSize}>;
fn addUp(lane: u32, value: T) -> T {
  lanes[lane] = value;
  // All lanes have written.
  workgroupBarrier();${groups === rowLanes ? '' : first}
  var sum = T(0.0f);
  for (var k = lane % ${columnLanes}u; k < ${groups * columnLanes}u; k += ${columnLanes}u) { sum += lanes[k]; }
  // Everybody has read before the next sum begins.
  workgroupBarrier();
  return sum;
}`;
}

/** `column` and `rowLane` of this lane. Columns past the end must not be touched. */
export function laneWgsl(blocks: Lanes): string {
  return `
  let column = group.x * ${blocks.columnLanes}u + lane % ${blocks.columnLanes}u;
  let rowLane = lane / ${blocks.columnLanes}u;
  let inside = column < ${blocks.vectors}u;`;
}
