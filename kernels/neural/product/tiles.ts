// The tiles there are to choose from, with the rate of each when there is enough to do, relative to the others of its list;
// docs/performance.md has the measurements.

import type { ProductTile } from './productTile.ts';

export interface RatedTile {
  readonly tile: ProductTile;
  /** By kind of product: gathered (forward and input gradients), and weight gradients. */
  readonly rate: { readonly gather: number; readonly weights: number };
}

type RowsColumns = readonly [rows: number, columns: number];

function workgroup(
  shape: {
    readonly threads: RowsColumns;
    readonly results: RowsColumns;
    readonly depth: number;
    readonly buffers: 1 | 2;
  },
  gather: number,
  weights: number,
): RatedTile {
  const { threads, results, depth, buffers } = shape;
  const tile: ProductTile = {
    memory: 'workgroup',
    threadRows: threads[0],
    threadColumns: threads[1],
    rows: results[0],
    columns: results[1],
    depth,
    left: 'inner',
    buffers,
    neighbours: 'columns',
  };
  return { tile, rate: { gather, weights } };
}

function registers(
  threads: RowsColumns,
  results: RowsColumns,
  neighbours: 'columns' | 'rows',
  rate: number,
): RatedTile {
  const tile: ProductTile = {
    memory: 'registers',
    threadRows: threads[0],
    threadColumns: threads[1],
    rows: results[0],
    columns: results[1],
    depth: 4,
    left: 'inner',
    buffers: 1,
    neighbours,
  };
  return { tile, rate: { gather: rate, weights: rate } };
}

/** For GPUs: up to 16 KiB of workgroup memory and 256 threads, which every WebGPU device has. */
export const workgroupTiles: readonly RatedTile[] = [
  workgroup({ threads: [16, 8], results: [4, 8], depth: 16, buffers: 2 }, 1, 1), // 64 × 64
  workgroup({ threads: [8, 16], results: [8, 4], depth: 16, buffers: 2 }, 0.98, 1),
  workgroup({ threads: [16, 16], results: [4, 4], depth: 16, buffers: 2 }, 0.93, 0.95),
  workgroup({ threads: [8, 8], results: [8, 8], depth: 16, buffers: 2 }, 0.95, 0.7),
  workgroup({ threads: [16, 16], results: [8, 8], depth: 16, buffers: 1 }, 1.05, 1.2), // 128 × 128
  workgroup({ threads: [16, 8], results: [8, 8], depth: 8, buffers: 2 }, 0.98, 1.05), // 128 × 64
  workgroup({ threads: [8, 16], results: [8, 8], depth: 8, buffers: 2 }, 0.98, 1.05), // 64 × 128
  workgroup({ threads: [16, 8], results: [8, 4], depth: 8, buffers: 2 }, 0.85, 0.8), // 128 × 32
  workgroup({ threads: [8, 8], results: [4, 4], depth: 16, buffers: 2 }, 0.8, 0.8), // 32 × 32
  workgroup({ threads: [32, 4], results: [4, 4], depth: 8, buffers: 2 }, 0.7, 0.7), // 128 × 16
  workgroup({ threads: [4, 16], results: [4, 8], depth: 8, buffers: 2 }, 0.7, 0.7), // 16 × 128
];

/** For software adapters, where all memory is the processor's. */
export const registerTiles: readonly RatedTile[] = [
  registers([1, 4], [16, 8], 'columns', 1), // 16 × 32
  registers([4, 1], [8, 16], 'rows', 0.85), // 32 × 16
  registers([4, 1], [8, 8], 'rows', 0.8), // 32 × 8
  registers([4, 1], [4, 16], 'rows', 0.6), // 16 × 16
  registers([4, 1], [4, 8], 'rows', 0.5), // 16 × 8
  registers([4, 1], [4, 4], 'rows', 0.3), // 16 × 4
];
