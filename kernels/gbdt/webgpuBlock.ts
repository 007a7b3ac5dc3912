// A block as the webgpu device holds it: one buffer a quantity, kept on the GPU from load to unload.

import type { GpuRunner } from '../gpu/gpuRunner.ts';
import { InvalidBlockError } from './deviceErrors.ts';
import type { BinnedBlock, DeviceSpec, LoadedBlock } from './treeDevice.ts';
import { MISSING_BIN, hasWideMargins } from './treeDevice.ts';

export interface WebgpuBlock extends LoadedBlock {
  /** [word][row]: slots of features 4·word.. from the lowest byte; a missing value is the last slot. */
  readonly bins: GPUBuffer;
  readonly labels: GPUBuffer;
  readonly weights: GPUBuffer;
  readonly weighted: boolean;
  /** [output][row]; where margins are wide all high limbs, then all low ones, and so are labels and weights. */
  readonly margins: GPUBuffer;
  /** [row] (g, h). */
  readonly gradients: GPUBuffer;
  /** As gradients, their low limbs; empty where the spec is not wide. */
  readonly lowGradients: GPUBuffer;
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
  const limbs = hasWideMargins(spec) ? 2 : 1;
  const bytesPerRow = 4 * Math.max(Math.ceil(spec.slotsPerFeature.length / 4), spec.outputs * limbs, 2);
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
  const lowMargins = block.low?.baseMargins ?? new Int32Array(rows).fill(spec.baseMarginLow ?? 0);
  const low = role === 'train' ? block.low : undefined;
  return {
    firstRow: block.firstRow,
    rows,
    role,
    bins: runner.upload('bins', packColumns(spec, block)),
    labels: runner.upload('labels', joined(role === 'train' ? block.labels : new Int32Array(0), low?.labels)),
    weights: runner.upload('weights', joined(weights ?? new Uint32Array(0), low?.weights)),
    weighted: weights !== undefined,
    margins: runner.upload('margins', joined(margins, limbs === 2 ? lowMargins : undefined)),
    gradients: runner.createBuffer('gradients', 8 * trained),
    lowGradients: runner.createBuffer('lowGradients', spec.isWide === true ? 8 * trained : 0),
    positions: runner.createBuffer('positions', 4 * trained),
    placed: false,
  };
}

/** Both limbs, one behind the other. */
function joined(high: ArrayLike<number>, low: ArrayLike<number> | undefined): Int32Array<ArrayBuffer> {
  const both = new Int32Array(high.length + (low?.length ?? 0));
  both.set(high);
  if (low) both.set(low, high.length);
  return both;
}

export function destroyWebgpuBlock(runner: GpuRunner, block: WebgpuBlock): void {
  for (const buffer of [
    block.bins,
    block.labels,
    block.weights,
    block.margins,
    block.gradients,
    block.lowGradients,
    block.positions,
  ]) {
    runner.tracker.destroy(buffer);
  }
}
