// The tiles there are to choose from. Measured on adapters by tuneProducts.ts; what is chosen without measuring is in
// chooseTile.ts.

import type { ProductTile } from './productTile.ts';

function workgroup(
  threads: readonly [rows: number, columns: number],
  results: readonly [rows: number, columns: number],
  depth: number,
  buffers: 1 | 2 = 2,
): ProductTile {
  const [threadRows, threadColumns] = threads;
  const [rows, columns] = results;
  return {
    memory: 'workgroup',
    threadRows,
    threadColumns,
    rows,
    columns,
    depth,
    buffers,
    neighbours: 'columns',
  };
}

function registers(
  threads: readonly [rows: number, columns: number],
  results: readonly [rows: number, columns: number],
  neighbours: 'columns' | 'rows',
): ProductTile {
  const [threadRows, threadColumns] = threads;
  const [rows, columns] = results;
  return { memory: 'registers', threadRows, threadColumns, rows, columns, depth: 4, buffers: 1, neighbours };
}

/** For GPUs: up to 16 KiB of workgroup memory and 256 threads, which every WebGPU device has. */
export const workgroupTiles: readonly ProductTile[] = [
  workgroup([16, 16], [8, 8], 8), // 128 × 128
  workgroup([16, 16], [8, 8], 16, 1),
  workgroup([16, 16], [8, 4], 8), // 128 × 64
  workgroup([16, 8], [8, 8], 8), // 128 × 64
  workgroup([8, 16], [8, 8], 8), // 64 × 128
  workgroup([8, 8], [8, 8], 16), // 64 × 64
  workgroup([8, 16], [8, 4], 16), // 64 × 64
  workgroup([16, 16], [4, 4], 16), // 64 × 64
  workgroup([16, 8], [4, 8], 16), // 64 × 64
  workgroup([16, 8], [8, 4], 8), // 128 × 32
  workgroup([8, 8], [4, 4], 16), // 32 × 32
  workgroup([32, 4], [4, 4], 8), // 128 × 16
  workgroup([4, 16], [4, 8], 8), // 16 × 128
];

/** For software adapters, where all memory is the processor's. */
export const registerTiles: readonly ProductTile[] = [
  registers([1, 4], [8, 8], 'columns'),
  registers([4, 1], [8, 8], 'rows'),
  registers([1, 4], [8, 16], 'columns'),
  registers([4, 1], [8, 16], 'rows'),
  registers([4, 1], [4, 16], 'rows'),
  registers([4, 4], [8, 4], 'rows'),
  registers([4, 1], [4, 4], 'rows'),
];
