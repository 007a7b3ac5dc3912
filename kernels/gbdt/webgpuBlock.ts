// A block as the webgpu device holds it: one buffer a quantity, kept on the GPU from load to unload.

import type { GpuRunner } from '../gpu/gpuRunner.ts';
import { InvalidBlockError } from './deviceErrors.ts';
import type { BinnedBlock, DeviceSpec, LoadedBlock } from './treeDevice.ts';
import { MISSING_BIN } from './treeDevice.ts';

export interface WebgpuBlock extends LoadedBlock {
  /** [word][row]: slots of features 4·word.. from the lowest byte; a missing value is the last slot. */
  readonly bins: GPUBuffer;
  readonly labels: GPUBuffer;
  readonly weights: GPUBuffer;
  readonly weighted: boolean;
  /** [output][row]. */
  readonly margins: GPUBuffer;
  /** [row] (g, h). */
  readonly gradients: GPUBuffer;
  /** [row] node of the growing tree. */
  readonly positions: GPUBuffer;
  /** True once a tree was begun with this block in it. */
  placed: boolean;
}

function packColumns(spec: DeviceSpec, block: BinnedBlock): Uint32Array<ArrayBuffer> {
  const { rows } = block;
  const words = new Uint32Array(Math.ceil(spec.slotsPerFeature.length / 4) * rows);
  block.bins.forEach((column, feature) => {
    const missingSlot = (spec.slotsPerFeature[feature] ?? 1) - 1;
    const shift = 8 * (feature & 3);
    const start = (feature >> 2) * rows;
    for (let row = 0; row < rows; row += 1) {
      const bin = column[row] ?? 0;
      words[start + row] = (words[start + row] ?? 0) | ((bin === MISSING_BIN ? missingSlot : bin) << shift);
    }
  });
  return words;
}

/**
 * Uploads a block that passed checkBlock.
 * @throws InvalidBlockError when one of its arrays is larger than the adapter lets a kernel see.
 */
export function createWebgpuBlock(
  runner: GpuRunner,
  spec: DeviceSpec,
  block: BinnedBlock,
  role: LoadedBlock['role'],
): WebgpuBlock {
  const { rows } = block;
  const limit = runner.device.limits.maxStorageBufferBindingSize;
  const bytesPerRow = 4 * Math.max(Math.ceil(spec.slotsPerFeature.length / 4), spec.outputs, 2);
  if (rows * bytesPerRow > limit) {
    throw new InvalidBlockError(
      `Block of ${rows} rows from row ${block.firstRow}: an array of ${rows * bytesPerRow} bytes, ` +
        `expected at most ${limit}, that is ${Math.floor(limit / bytesPerRow)} rows a block with ` +
        `${spec.slotsPerFeature.length} features and ${spec.outputs} outputs on this GPU. Train on the cpu device, or with fewer features.`,
    );
  }
  const trained = role === 'train' ? rows : 0;
  const weights = role === 'train' ? block.weights : undefined;
  const margins = block.baseMargins ?? new Int32Array(rows * spec.outputs).fill(spec.baseMargin);
  return {
    firstRow: block.firstRow,
    rows,
    role,
    bins: runner.upload('bins', packColumns(spec, block)),
    labels: runner.upload('labels', Int32Array.from(role === 'train' ? block.labels : [])),
    weights: runner.upload('weights', Uint32Array.from(weights ?? [])),
    weighted: weights !== undefined,
    margins: runner.upload('margins', Int32Array.from(margins)),
    gradients: runner.createBuffer('gradients', 8 * trained),
    positions: runner.createBuffer('positions', 4 * trained),
    placed: false,
  };
}

export function destroyWebgpuBlock(runner: GpuRunner, block: WebgpuBlock): void {
  for (const buffer of [
    block.bins,
    block.labels,
    block.weights,
    block.margins,
    block.gradients,
    block.positions,
  ]) {
    runner.tracker.destroy(buffer);
  }
}
