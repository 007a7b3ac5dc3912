// A tree device that notes where the time of a round goes.

import type { LoadedBlock, TreeDevice } from '../../../kernels/gbdt/treeDevice.ts';

export type Phase = 'gradients' | 'histogram' | 'partition' | 'apply';
export type PhaseTimes = Record<Phase, number>;

export const noTimes = (): PhaseTimes => ({ gradients: 0, histogram: 0, partition: 0, apply: 0 });

/**
 * The same device, milliseconds added to `times`. The last level's partition is part of applying the tree. A GPU only records most calls, so with `fence` (any loaded block)
 * each phase is waited for by a small read before the next begins: slower in all, but the shares are true.
 */
export function timedDevice(device: TreeDevice, times: PhaseTimes, fence?: LoadedBlock): TreeDevice {
  let recorded: Phase[] = [];
  const timed = <T>(phase: Phase, work: () => T): T => {
    const start = performance.now();
    const result = work();
    times[phase] += performance.now() - start;
    recorded.push(phase);
    return result;
  };
  const settle = async (): Promise<void> => {
    const phase = recorded.at(-1);
    recorded = [];
    if (phase === undefined) return;
    const start = performance.now();
    // Devices move rows when a histogram is asked for. Asking for one of no nodes parts the two.
    if (phase === 'partition') await device.buildHistograms(new Int32Array());
    if (fence !== undefined) await device.readMargins(fence);
    times[phase] += performance.now() - start;
  };
  return {
    description: device.description,
    lost: device.lost,
    splitSearch: device.splitSearch,
    load: (block, role) => device.load(block, role),
    unload: (block) => device.unload(block),
    beginTree: (round, output) => timed('gradients', () => device.beginTree(round, output)),
    async buildHistograms(nodes, limb) {
      await settle();
      const start = performance.now();
      const sums = await device.buildHistograms(nodes, limb);
      times.histogram += performance.now() - start;
      return sums;
    },
    applySplits: (splits) => timed('partition', () => device.applySplits(splits)),
    applyTrees: (blocks, trees) => timed('apply', () => device.applyTrees(blocks, trees)),
    async readMargins(block) {
      const start = performance.now();
      const margins = await device.readMargins(block);
      times.apply += performance.now() - start;
      return margins;
    },
    close: () => device.close(),
  };
}
