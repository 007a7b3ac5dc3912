// Tiles that are timed once an adapter, on the software adapter.

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { BlobCache } from '../../../client/blobs/blobCache.ts';
import { tunedConvolutions, TUNING_BUDGET_MS } from '../../../client/runtime/tunedConvolutions.ts';
import { limitsOfDevice } from '../../../shared/neural/compile/deviceLimits.ts';
import { productsOf } from '../../../shared/neural/compile/productsOf.ts';
import { createTrainingEngine } from '../../../shared/neural/engine/createTrainingEngine.ts';
import { readModel } from '../../../shared/neural/model/readModel.ts';
import type { EngineSpec } from '../../../shared/neural/trainingEngine.ts';
import { openNodeGpuDevice } from '../../setup/nodeGpu.ts';
import { specOf } from '../../shared/neural/netData.ts';

const layer = (className: string, config: object): object => ({ class_name: className, config });

function smallNet(): EngineSpec {
  const layers = [
    layer('Dense', { name: 'hidden', units: 8, batch_input_shape: [null, 16] }),
    layer('Dense', { name: 'out', units: 8 }),
  ];
  const read = readModel({ class_name: 'Sequential', config: { name: 'small', layers } });
  if (read.kind !== 'compiled') throw new Error(read.part.reason);
  return specOf(read.graph);
}

let device: GPUDevice;
beforeAll(async () => {
  device = await openNodeGpuDevice();
});
afterAll(() => device.destroy());

let lines: string[];
let kept: Map<string, Uint8Array>;
beforeEach(() => {
  lines = [];
  kept = new Map();
});
const cache: BlobCache = {
  get: (name) => Promise.resolve(kept.get(name)),
  put: (name, bytes) => Promise.resolve(void kept.set(name, bytes)),
};

function tune(now: () => number = () => performance.now()) {
  return tunedConvolutions(device, device.adapterInfo, smallNet(), {
    cache,
    now,
    log: (line) => lines.push(line),
  });
}

const choices = (): Record<string, { tile: object; splits: number }> =>
  JSON.parse(new TextDecoder().decode([...kept.values()][0])) as Record<
    string,
    { tile: object; splits: number }
  >;

it('times the products of a net once, and finds what it found when it comes again', async () => {
  const products = productsOf(smallNet(), limitsOfDevice(device), 'software').flatMap(
    (each) => each.products,
  );
  // Nothing needs the gradient of the net's input.
  expect(products.toSorted()).toEqual([
    'forward',
    'forward',
    'input gradient',
    'weight gradient',
    'weight gradient',
  ]);
  const convolutions = await tune();
  expect(lines).toEqual([expect.stringMatching(/^Timed tiles for \d sizes of products in [\d.]+ s\.$/)]);
  expect(Object.keys(choices()).length).toBeGreaterThan(1);
  const before = JSON.stringify(choices());
  await tune();
  expect(lines).toHaveLength(1);
  expect(JSON.stringify(choices())).toBe(before);

  const engine = await createTrainingEngine(smallNet(), { device, convolutions });
  const output = await engine.predict([new Float32Array(16)], 1);
  expect([...output]).toEqual(Array.from({ length: 8 }, () => 0));
  await engine.close();
});

/** A clock that leaves time for one size. */
function onlyOne(): () => number {
  let asked = 0;
  return () => (asked++ < 2 ? 0 : TUNING_BUDGET_MS);
}

it('leaves to the estimate what it has no time for, times anew what is damaged, and takes no tile that it does not know', async () => {
  await tune(onlyOne());
  expect(Object.keys(choices())).toHaveLength(1);
  expect(lines).toEqual([expect.stringContaining('others are estimated')]);
  const [name] = kept.keys();
  const [size, choice] = Object.entries(choices())[0]!;
  const spoiled = [
    '{"torn',
    JSON.stringify({ [size]: { ...choice, splits: -3 } }),
    JSON.stringify({ [size]: { tile: { ...choice.tile, threadRows: 1_000_000 }, splits: 1 } }),
  ];
  for (const text of spoiled) {
    kept.set(name!, new TextEncoder().encode(text));
    await tune(onlyOne());
    expect(Object.keys(choices())).toEqual([size]);
    expect(Object.keys(choices()[size]!.tile)).toEqual(Object.keys(choice.tile));
    expect(choices()[size]).not.toHaveProperty('tile.threadRows', 1_000_000);
    expect(choices()[size]!.splits).toBeGreaterThan(0);
  }
  expect(lines).toHaveLength(1 + spoiled.length);
});
