// How fast devices sum histograms, as updates (one row, one feature) a second, and how fast an adapter adds atomically.

import { GpuRunner } from '../../kernels/gpu/gpuRunner.ts';
import { groupsFor } from '../../kernels/gpu/op.ts';
import type { DeviceSpec, NodeSplit, TreeDevice } from '../../kernels/gbdt/treeDevice.ts';
import { seededNumbers } from '../kernels/seededNumbers.ts';
import { ADDITIONS_PER_THREAD, atomicRateOp } from './atomicRateOp.ts';

export interface HistogramRate {
  /** Leaves of the tree whose rows were summed; the rows are spread over them evenly. */
  readonly nodes: number;
  readonly updatesPerSecond: number;
}

export interface HistogramBenchSize {
  readonly rows: number;
  /** Features, of 256 slots each. */
  readonly features: number;
  /** Powers of two. */
  readonly nodes: readonly number[];
}

export function benchSpec(features: number): DeviceSpec {
  return {
    gradient: 'logistic',
    outputs: 1,
    marginFractionBits: 20,
    baseMargin: 0,
    slotsPerFeature: Array.from({ length: features }, () => 256),
    sampling: { seed: 0, threshold: 2 ** 32 },
  };
}

/** Best of `repeats` timings of one call, in seconds. */
async function bestSeconds(repeats: number, work: () => Promise<unknown>): Promise<number> {
  let best = Infinity;
  for (let i = 0; i < repeats; i += 1) {
    const start = performance.now();
    await work();
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}

/** Times buildHistograms over all rows at once, spread over one node and more. The device is left with the rows. */
export async function measureHistogramRate(
  device: TreeDevice,
  size: HistogramBenchSize,
): Promise<HistogramRate[]> {
  const random = seededNumbers(1);
  const { rows, features } = size;
  const bins = Array.from({ length: features }, () =>
    Uint8Array.from({ length: rows }, () => random.below(255)),
  );
  const labels = Int32Array.from({ length: rows }, () => random.below(2));
  await device.load({ firstRow: 0, rows, bins, labels }, 'train');
  const rates: HistogramRate[] = [];
  for (const nodes of size.nodes) {
    device.beginTree(0, 0);
    let leaves = [0];
    for (let level = 0, next = 1; leaves.length < nodes; level += 1) {
      const splits = leaves.map((node): NodeSplit => {
        next += 2;
        const feature = level % features;
        return { node, left: next - 2, right: next - 1, feature, splitBin: 127, missingGoesLeft: true };
      });
      device.applySplits(splits);
      leaves = splits.flatMap(({ left, right }) => [left, right]);
    }
    const asked = Int32Array.from(leaves);
    const seconds = await bestSeconds(4, () => device.buildHistograms(asked));
    rates.push({ nodes, updatesPerSecond: (rows * features) / seconds });
  }
  return rates;
}

/** Atomic additions a second at random addresses among `cells` (a power of two), the adapter doing nothing else. */
export async function measureAtomicRate(device: GPUDevice, cells: number, threads: number): Promise<number> {
  const runner = new GpuRunner(device);
  await runner.compile([atomicRateOp]);
  const target = runner.createBuffer('cells', 4 * cells);
  const call = runner.uploadUniform(atomicRateOp, 'call', { mask: cells - 1, threads });
  const seconds = await bestSeconds(4, async () => {
    runner.dispatch(atomicRateOp, { cells: target, call }, groupsFor(atomicRateOp, threads));
    await runner.read(target, 4);
  });
  runner.close();
  return (threads * ADDITIONS_PER_THREAD) / seconds;
}
