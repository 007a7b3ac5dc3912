import { describe, expect, it } from 'vitest';
import type { BinnedTree } from '../../../../kernels/gbdt/binnedTree.ts';
import { createCpuTreeDevice } from '../../../../kernels/gbdt/devices/cpuDevice.ts';
import type { BinnedBlock, DeviceSpec } from '../../../../kernels/gbdt/treeDevice.ts';
import { playScenario } from '../playScenario.ts';
import { specOf } from '../scenarios.ts';
import { treeDeviceContract } from '../treeDevice.contract.ts';

treeDeviceContract('the cpu device', async () => ({
  async play(scenario) {
    const device = createCpuTreeDevice(specOf(scenario));
    try {
      return await playScenario(device, scenario);
    } finally {
      await device.close();
    }
  },
  async close() {},
}));

// What is checked before any device takes it; the checks are shared by all devices.
describe('bad input', () => {
  const spec: DeviceSpec = {
    gradient: 'logistic',
    outputs: 1,
    marginFractionBits: 20,
    baseMargin: 0,
    slotsPerFeature: [4, 3],
    sampling: { seed: 0, threshold: 2 ** 32 },
  };
  const good: BinnedBlock = {
    firstRow: 10,
    rows: 2,
    bins: [Uint8Array.of(0, 255), Uint8Array.of(1, 1)],
    labels: Int32Array.of(0, 1),
  };
  const wrongBlocks: [string, Partial<BinnedBlock>, RegExp][] = [
    ['a missing feature', { bins: good.bins.slice(1) }, /it has 1 features, expected 2/],
    ['a short column', { bins: [good.bins[0]!, new Uint8Array(1)] }, /feature 1 has 1 codes/],
    [
      'a bin beyond its slots',
      { bins: [good.bins[0]!, Uint8Array.of(1, 2)] },
      /feature 1, row 1: bin code 2, expected below 2/,
    ],
    ['a label that is no class', { labels: Int32Array.of(0, 2) }, /row 1: label 2, expected 0 to 1/],
    ['a short label array', { labels: new Int32Array(1) }, /1 labels/],
    ['a weight above the largest', { weights: Uint32Array.of(1, 2 ** 24 + 1) }, /row 1: weight 16777217/],
    ['base margins of the wrong length', { baseMargins: new Int32Array(3) }, /3 base margins, expected 2/],
    [
      'a base margin beyond the limit',
      { baseMargins: Int32Array.of(0, 2 ** 30) },
      /base margin 1 is 1073741824/,
    ],
    ['a negative first row', { firstRow: -1 }, /first row/],
  ];
  it.each(wrongBlocks)('refuses a block with %s', async (_, wrong, message) => {
    const device = createCpuTreeDevice(spec);
    const load = device.load({ ...good, ...wrong }, 'train');
    await expect(load).rejects.toMatchObject({
      code: 'INVALID_BLOCK',
      message: expect.stringMatching(message),
    });
  });

  it('refuses specs that no device can serve', () => {
    expect(() => createCpuTreeDevice({ ...spec, slotsPerFeature: [257] })).toThrow(
      /257 slots, expected 1 to 256/,
    );
    expect(() => createCpuTreeDevice({ ...spec, outputs: 2 })).toThrow(/2 outputs/);
    expect(() => createCpuTreeDevice({ ...spec, baseMargin: 2 ** 30 })).toThrow(/base margin/);
  });

  const tree = (left: number[], right: number[], feature: number): BinnedTree => ({
    left: Int32Array.from(left),
    right: Int32Array.from(right),
    parent: new Int32Array(left.length),
    feature: new Int32Array(left.length).fill(feature),
    splitBin: new Int32Array(left.length),
    categories: new Uint32Array(8 * left.length),
    isCategorical: new Uint8Array(left.length),
    missingGoesLeft: new Uint8Array(left.length),
    value: new Float32Array(left.length),
    valueFixed: new Int32Array(left.length),
    gain: new Float32Array(left.length),
    cover: new Float32Array(left.length),
  });
  it.each([
    ['no nodes', tree([], [], 0)],
    ['a node that is its own child', tree([0, -1, -1], [2, -1, -1], 0)],
    ['a child that is not there', tree([1, -1, -1], [3, -1, -1], 0)],
    ['a feature that is not there', tree([1, -1, -1], [2, -1, -1], 2)],
  ])('refuses a tree with %s', async (_, wrong) => {
    const device = createCpuTreeDevice(spec);
    const block = await device.load(good, 'train');
    expect(() => device.applyTrees([block], [wrong])).toThrow(
      expect.objectContaining({ code: 'INVALID_TREE' }),
    );
  });

  it('refuses splits that name no feature or send rows back up', () => {
    const device = createCpuTreeDevice(spec);
    const split = { node: 1, left: 2, right: 3, feature: 0, splitBin: 0, missingGoesLeft: true };
    for (const wrong of [{ feature: 2 }, { left: 1 }, { right: 0 }]) {
      expect(() => device.applySplits([{ ...split, ...wrong }])).toThrow(
        expect.objectContaining({ code: 'INVALID_TREE' }),
      );
    }
  });

  it('refuses a block of another device, and any call once closed', async () => {
    const device = createCpuTreeDevice(spec);
    const foreign = await createCpuTreeDevice(spec).load(good, 'train');
    await expect(device.readMargins(foreign)).rejects.toMatchObject({ code: 'DEVICE_STATE' });
    await device.close();
    await device.close();
    await expect(device.buildHistograms(Int32Array.of(0))).rejects.toMatchObject({ code: 'DEVICE_STATE' });
    expect(() => device.beginTree(0, 0)).toThrow(/closed/);
  });
});
