import { describe, expect, it } from 'vitest';
import { createCpuTreeDevice } from '../../../../kernels/gbdt/devices/cpuDevice.ts';
import { joinTreeDevices } from '../../../../kernels/gbdt/devices/joinedDevice.ts';
import { createWasmTreeDevice } from '../../../../kernels/gbdt/devices/wasmDevice.ts';
import { oneThread } from '../../../../kernels/wasm/wasmRuntime.ts';
import type { ThreadChoice } from '../../../../kernels/wasm/wasmRuntime.ts';
import { jobThreads } from '../../../setup/jobThreads.ts';
import { firstDifference, playScenario } from '../playScenario.ts';
import type { Transcript } from '../playScenario.ts';
import type { Scenario } from '../scenarios.ts';
import { specOf } from '../scenarios.ts';
import { treeDeviceContract } from '../treeDevice.contract.ts';

async function playOn(choice: ThreadChoice, scenario: Scenario): Promise<Transcript> {
  const device = await createWasmTreeDevice(specOf(scenario), choice);
  try {
    return await playScenario(device, scenario);
  } finally {
    await device.close();
  }
}

treeDeviceContract('the WebAssembly device', async () => ({
  play: (scenario) => playOn(oneThread, scenario),
  async close() {},
}));

describe('devices in WebAssembly joined', () => {
  const scenario: Scenario = {
    title: 'more rows than one memory holds',
    seed: 6,
    slots: [40, 256, 9, 12],
    blocks: [3000, 3000, -2000, 3000, 3000, 3000],
    depth: 4,
  };

  it('hold blocks beyond the memory of one, and answer as one', async () => {
    const plain = createCpuTreeDevice(specOf(scenario));
    const expected = await playScenario(plain, scenario);
    let opened = 0;
    const joined = await joinTreeDevices(() => {
      opened += 1;
      return createWasmTreeDevice(specOf(scenario), oneThread, 6);
    });
    expect(firstDifference(await playScenario(joined, scenario), expected)).toBeUndefined();
    expect(opened).toBeGreaterThan(1);
    await joined.close();
  });

  it('refuse a block that an empty one has no room for', async () => {
    const joined = await joinTreeDevices(() => createWasmTreeDevice(specOf(scenario), oneThread, 1));
    await expect(playScenario(joined, scenario)).rejects.toMatchObject({ code: 'DEVICE_FAILED' });
    await joined.close();
  });
});

// Enough rows and features that tasks are cut from blocks, and from features.
describe('the WebAssembly device on several threads answers as on none', () => {
  const scenarios: readonly Scenario[] = [
    { title: 'parts of one block', seed: 1, slots: [40, 256, 9, 12, 3, 80], blocks: [60_000], missing: 0.1 },
    { title: 'many blocks', seed: 2, slots: [40, 256, 9], blocks: Array<number>(12).fill(3000), depth: 5 },
    { title: 'many features', seed: 3, slots: Array<number>(77).fill(20), blocks: [5000, 900], missing: 0.1 },
    { title: 'classes', seed: 4, gradient: 'softmax', outputs: 3, slots: [40, 9], blocks: [30_000, -20_000] },
    {
      title: 'two limbs',
      seed: 5,
      gradient: 'squaredError',
      wide: true,
      weighted: true,
      slots: [40],
      blocks: [50_000],
    },
  ];
  it.each(scenarios.map((scenario) => [scenario.title, scenario] as const))(
    'with %s',
    async (_, scenario) => {
      const plain = createCpuTreeDevice(specOf(scenario));
      const expected = await playScenario(plain, scenario);
      await plain.close();
      for (const threads of [1, 2, 4]) {
        expect(firstDifference(await playOn(jobThreads(threads), scenario), expected)).toBeUndefined();
      }
    },
  );
});
