// Lends only a share of the device's time: after each piece of work the device rests in proportion.

import type { TreeDevice } from '../../kernels/gbdt/treeDevice.ts';
import { delay, type Clock } from '../../shared/clock.ts';

/** Longest rest at a time, so that a lowered limit never looks like a dead worker to its peers. */
const MAX_REST_MS = 2_000;

/** @param share how much of the time the device may work, in (0, 1]; asked anew each time. */
export function throttledDevice(device: TreeDevice, share: () => number, clock: Clock): TreeDevice {
  const rested = async <T>(work: () => Promise<T>): Promise<T> => {
    const started = clock.now();
    const result = await work();
    const fraction = share();
    if (fraction < 1) {
      const workedMs = clock.now() - started;
      await delay(clock, Math.min(MAX_REST_MS, workedMs * (1 / fraction - 1)));
    }
    return result;
  };
  return {
    description: device.description,
    lost: device.lost,
    load: (block, role) => device.load(block, role),
    unload: (block) => device.unload(block),
    beginTree: (round, output) => device.beginTree(round, output),
    // Nearly all of the time goes here: it waits for what was submitted before it, too.
    buildHistograms: (nodes) => rested(() => device.buildHistograms(nodes)),
    applySplits: (splits) => device.applySplits(splits),
    applyTrees: (blocks, trees) => device.applyTrees(blocks, trees),
    readMargins: (block) => device.readMargins(block),
    close: () => device.close(),
  };
}
