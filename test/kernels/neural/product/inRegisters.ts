// A tile without workgroup memory, small enough for a software adapter to compile quickly.

import type { ProductTile } from '../../../../kernels/neural/product/productTile.ts';

export const inRegisters: ProductTile = {
  memory: 'registers',
  threadRows: 4,
  threadColumns: 1,
  rows: 4,
  columns: 8,
  depth: 4,
  left: 'inner',
  buffers: 1,
  neighbours: 'rows',
};
