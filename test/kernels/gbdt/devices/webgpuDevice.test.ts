import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BufferTracker } from '../../../../kernels/gpu/bufferTracker.ts';
import { PipelineCache } from '../../../../kernels/gpu/pipelineCache.ts';
import type { HistogramVariant } from '../../../../kernels/gbdt/ops/gbdtOps.ts';
import type { WebgpuTreeDeviceOptions } from '../../../../kernels/gbdt/devices/webgpuDevice.ts';
import { createWebgpuTreeDevice } from '../../../../kernels/gbdt/devices/webgpuDevice.ts';
import { openNodeGpuDevice } from '../../../setup/nodeGpu.ts';
import { seededNumbers } from '../../seededNumbers.ts';
import { playScenario } from '../playScenario.ts';
import { blocksOf, scenarios, specOf } from '../scenarios.ts';
import { treeDeviceContract } from '../treeDevice.contract.ts';

// One device and one set of compiled kernels for the whole file: compiling the tiled histogram takes seconds.
let gpu: GPUDevice;
let pipelines: PipelineCache;
beforeAll(async () => {
  gpu = await openNodeGpuDevice();
  pipelines = new PipelineCache(gpu);
});
afterAll(() => gpu.destroy());

const variants: readonly HistogramVariant[] = ['global', 'tiled'];
for (const histogram of variants) {
  treeDeviceContract(`webgpu in Node, ${histogram} histogram`, async () => {
    return {
      async play(scenario) {
        const tracker = new BufferTracker();
        const device = await createWebgpuTreeDevice(gpu, specOf(scenario), {
          histogram,
          tracker,
          pipelines,
        });
        try {
          return await playScenario(device, scenario);
        } finally {
          await device.close();
          expect(tracker.liveBytes).toBe(0);
        }
      },
      async close() {},
    };
  });
}

describe('webgpu in Node', () => {
  const scenario = scenarios.find(({ title }) => title === 'weights')!;
  const [first, second] = blocksOf(scenario);
  const open = (options?: WebgpuTreeDeviceOptions) =>
    createWebgpuTreeDevice(gpu, specOf(scenario), { pipelines, ...options });

  it('frees the buffers of a block at unload, and works on in the same memory round after round', async () => {
    const tracker = new BufferTracker();
    const device = await open({ tracker });
    const kept = await device.load(first!.block, 'train');
    const bytes = tracker.liveBytes;
    const gone = await device.load(second!.block, 'train');
    expect(tracker.liveBytes).toBeGreaterThan(bytes);
    device.unload(gone);
    expect(tracker.liveBytes).toBe(bytes);
    const held: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      device.beginTree(round, 0);
      await device.buildHistograms(Int32Array.of(0));
      await device.readMargins(kept);
      held.push(tracker.liveBytes);
    }
    expect(held).toEqual(held.map(() => held[0]));
    await device.close();
    expect(tracker.liveBytes).toBe(0);
  });

  it('gives equal histograms whichever kernel it chooses by the number of nodes', async () => {
    const wide = { ...specOf(scenario), slotsPerFeature: [256, 256, 256, 256] };
    const random = seededNumbers(3);
    const column = () => Uint8Array.from({ length: 300 }, () => random.below(255));
    const bins = [column(), column(), column(), column()];
    const block = {
      firstRow: 0,
      rows: 300,
      bins,
      labels: Int32Array.from({ length: 300 }, () => random.below(2)),
    };
    const sums = [];
    for (const histogram of ['auto', 'global'] as const) {
      const device = await createWebgpuTreeDevice(gpu, wide, { histogram, pipelines });
      await device.load(block, 'train');
      device.beginTree(0, 0);
      // One node is summed in tiles, thirty-two straight into global memory.
      sums.push(await device.buildHistograms(Int32Array.of(0)));
      sums.push(await device.buildHistograms(Int32Array.from({ length: 32 }, (_, i) => i)));
      await device.close();
    }
    expect(sums[0]!.some((sum) => sum !== 0)).toBe(true);
    expect(sums[0]).toEqual(sums[2]);
    expect(sums[1]).toEqual(sums[3]);
  });

  it('splits a histogram that is larger than one binding into several readbacks', async () => {
    const limited = new Proxy(gpu, {
      get(target, name) {
        if (name === 'limits') return { maxStorageBufferBindingSize: 4096 };
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const nodes = Int32Array.from({ length: 9 }, (_, i) => i);
    const sums = [];
    for (const each of [gpu, limited]) {
      const device = await createWebgpuTreeDevice(each, specOf(scenario), { pipelines });
      await device.load({ ...second!.block }, 'train');
      device.beginTree(0, 0);
      device.applySplits([{ node: 0, left: 3, right: 8, feature: 1, splitBin: 20, missingGoesLeft: true }]);
      sums.push(await device.buildHistograms(nodes));
      await device.close();
    }
    expect(sums[0]!.some((sum) => sum !== 0)).toBe(true);
    expect(sums[1]).toEqual(sums[0]);
  });

  it('refuses a block that is too large for one binding, saying how many rows would fit', async () => {
    const device = await createWebgpuTreeDevice(
      gpu,
      { ...specOf(scenario), slotsPerFeature: [2] },
      { pipelines },
    );
    const rows = 17_000_000;
    const block = { firstRow: 0, rows, bins: [new Uint8Array(rows)], labels: new Int32Array(rows) };
    await expect(device.load(block, 'train')).rejects.toMatchObject({
      code: 'INVALID_BLOCK',
      message: expect.stringContaining('expected at most 134217728, that is 16777216 rows'),
    });
    await device.close();
  });

  it('rejects the call whose commands WebGPU refused, instead of answering with wrong numbers', async () => {
    const tracker = new BufferTracker();
    const device = await open({ tracker });
    await device.load(first!.block, 'train');
    device.beginTree(0, 0);
    // Somebody frees memory under the device's feet: the recorded commands can't be submitted any more.
    tracker.destroyAll();
    await expect(device.buildHistograms(Int32Array.of(0))).rejects.toMatchObject({ code: 'DEVICE_FAILED' });
  });

  it('says so when the GPU device is lost, and rejects every later call', async () => {
    const doomed = await openNodeGpuDevice();
    const device = await createWebgpuTreeDevice(doomed, specOf(scenario));
    const block = await device.load(first!.block, 'train');
    device.beginTree(0, 0);
    doomed.destroy();
    await expect(device.lost).resolves.toMatch(/destroyed/i);
    await expect(device.buildHistograms(Int32Array.of(0))).rejects.toMatchObject({ code: 'DEVICE_LOST' });
    await expect(device.readMargins(block)).rejects.toMatchObject({ code: 'DEVICE_LOST' });
    await device.close();
  });

  it('refuses calls once it is closed', async () => {
    const device = await open();
    await device.close();
    await device.close();
    await expect(device.buildHistograms(Int32Array.of(0))).rejects.toMatchObject({ code: 'DEVICE_STATE' });
    expect(() => device.beginTree(0, 0)).toThrow(/closed/);
  });
});
