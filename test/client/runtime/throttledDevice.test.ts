import { expect, test } from 'vitest';
import { throttledDevice } from '../../../client/runtime/throttledDevice.ts';
import { createCpuTreeDevice } from '../../../kernels/gbdt/cpuDevice.ts';
import { ManualClock } from '../../setup/manualClock.ts';

test.each([
  [1, 100, 0],
  [0.5, 100, 100],
  [0.25, 100, 300],
  [0.25, 5000, 2000],
])('lending a share of %d, a device rests after %d ms of work for %d ms', async (share, workMs, restMs) => {
  const clock = new ManualClock();
  const device = createCpuTreeDevice({
    gradient: 'logistic',
    outputs: 1,
    marginFractionBits: 20,
    baseMargin: 0,
    slotsPerFeature: [2],
    sampling: { seed: 0, threshold: 2 ** 32 },
  });
  device.buildHistograms = async () => {
    clock.advance(workMs);
    return new Float64Array(4);
  };
  const throttled = throttledDevice(device, () => share, clock);
  let doneAt: number | undefined;
  const work = throttled.buildHistograms(new Int32Array(1)).then(() => (doneAt = clock.now()));
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  await settle();
  if (restMs > 0) {
    clock.advance(restMs - 1);
    await settle();
    expect(doneAt).toBeUndefined();
    clock.advance(1);
  }
  await work;
  expect(doneAt).toBe(workMs + restMs);
});
