// A block as the cpu device holds it: bins row by row (a row's codes share a cache line, and a histogram pass loads
// each gradient once), and for each node of the growing tree a contiguous run of row indices.

import type { BinnedBlock, DeviceSpec, LoadedBlock } from './treeDevice.ts';
import { MISSING_BIN } from './treeDevice.ts';

export interface RowRange {
  readonly begin: number;
  readonly end: number;
}

/** State of one block; plain data that the cpu kernels work on. */
export interface CpuBlock extends LoadedBlock {
  /** [row][feature] slot indices: codes with the missing code replaced by the feature's last slot. */
  readonly slots: Uint8Array<ArrayBuffer>;
  readonly labels: Int32Array;
  readonly weights: Uint32Array | undefined;
  /** [output][row]. */
  readonly margins: Int32Array<ArrayBuffer>;
  /** [row][g, h]; empty for evaluation blocks. */
  readonly gradients: Int32Array<ArrayBuffer>;
  /** Row indices, those of a node next to one another in ascending order. */
  readonly order: Uint32Array<ArrayBuffer>;
  /** Where each leaf of the growing tree lies in `order`. Empty before the first tree. */
  readonly ranges: Map<number, RowRange>;
}

function interleave(spec: DeviceSpec, block: BinnedBlock): Uint8Array<ArrayBuffer> {
  const stride = spec.slotsPerFeature.length;
  const slots = new Uint8Array(block.rows * stride);
  block.bins.forEach((column, feature) => {
    const missingSlot = (spec.slotsPerFeature[feature] ?? 1) - 1;
    for (let row = 0, at = feature; row < column.length; row += 1, at += stride) {
      const bin = column[row] ?? 0;
      slots[at] = bin === MISSING_BIN ? missingSlot : bin;
    }
  });
  return slots;
}

/** Copies what the device needs of a block that passed checkBlock. */
export function createCpuBlock(spec: DeviceSpec, block: BinnedBlock, role: LoadedBlock['role']): CpuBlock {
  const trained = role === 'train' ? block.rows : 0;
  return {
    firstRow: block.firstRow,
    rows: block.rows,
    role,
    slots: interleave(spec, block),
    labels: role === 'train' ? block.labels.slice() : new Int32Array(0),
    weights: role === 'train' ? block.weights?.slice() : undefined,
    margins: block.baseMargins?.slice() ?? new Int32Array(block.rows * spec.outputs).fill(spec.baseMargin),
    gradients: new Int32Array(2 * trained),
    order: new Uint32Array(trained),
    ranges: new Map(),
  };
}
