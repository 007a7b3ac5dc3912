// Predictions of honest strangers of all kinds, as this machine's processor sees them: trees are the same to the bit, nets
// differ by far less than what is taken for a lie.

import { rm } from 'node:fs/promises';
import type { DeviceKind } from '../../../kernels/deviceKinds.ts';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Checkpoint } from '../../../coordinator/checkpoint/checkpoint.ts';
import { startLocalWorkers, type LocalWorkers } from '../../../coordinator/cluster/local/localWorkers.ts';
import { startCoordinator, type Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import { fromItems } from '../../../coordinator/data/fromMemory.ts';
import type { PoolStatus } from '../../../coordinator/data/operators/poolStatus.ts';
import { GBDTPredictor } from '../../../coordinator/predict/gbdtPredictor.ts';
import { NeuralPredictor } from '../../../coordinator/predict/neuralPredictor.ts';
import { NET_TOLERANCE } from '../../../shared/neural/predict/netTolerance.ts';
import { seededRandom } from '../../setup/seededRandom.ts';
import { makeServedModels } from '../serve/servedModels.ts';
import { saveFolder } from '../train/neural/savedFolders.ts';

const ROWS = 96;

let coordinator: Coordinator;
let localWorkers: LocalWorkers;
const folders: string[] = [];
beforeAll(async () => {
  await tf.setBackend('cpu');
  coordinator = await startCoordinator({ port: 0 });
  localWorkers = await startLocalWorkers({
    url: coordinator.url,
    // As any volunteer.
    token: coordinator.tokens.join,
    count: 3,
    runtime: ['browser', 'deno', 'node'],
    device: 'webgpu',
  });
});
afterAll(async () => {
  await localWorkers.stop();
  await coordinator.close();
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
});

const { layers } = tf;

const kinds: readonly [string, number, DeviceKind, () => tf.LayersModel][] = [
  [
    'a dense net of eight layers',
    16,
    'webgpu',
    () =>
      tf.sequential({
        layers: [
          ...Array.from({ length: 7 }, (_, i) =>
            layers.dense({
              units: 64,
              activation: (['relu', 'tanh', 'elu', 'sigmoid', 'relu', 'selu', 'tanh'] as const)[i]!,
              ...(i === 0 && { inputShape: [16] }),
            }),
          ),
          layers.dense({ units: 5, activation: 'softmax' }),
        ],
      }),
  ],
  [
    'a net of ten convolutions',
    12 * 12 * 3,
    'webgpu',
    () =>
      tf.sequential({
        layers: [
          layers.reshape({ targetShape: [12, 12, 3], inputShape: [12 * 12 * 3] }),
          ...Array.from({ length: 10 }, () => [
            layers.conv2d({ filters: 24, kernelSize: 3, padding: 'same', useBias: false }),
            layers.batchNormalization({}),
            layers.activation({ activation: 'relu' }),
          ]).flat(),
          layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
          layers.dense({ units: 1 }),
        ],
      }),
  ],
  [
    'a net that only tfjs knows',
    24,
    'cpu',
    () =>
      tf.sequential({
        layers: [
          layers.reshape({ targetShape: [12, 2], inputShape: [24] }),
          layers.simpleRNN({ units: 16 }),
          layers.dense({ units: 2 }),
        ],
      }),
  ],
];

describe.each(kinds)('%s', (_, width, device, make) => {
  it('is predicted alike everywhere, and no honest stranger is accused', async () => {
    const folder = await saveFolder(make());
    folders.push(folder);
    const random = seededRandom(width);
    const rows = Array.from({ length: ROWS }, () => ({
      x: Array.from({ length: width }, () => 4 * random() - 2),
    }));
    const batch = { x: rows.map(({ x }) => x) };
    const here = new NeuralPredictor(new Checkpoint(folder));
    const expected = Object.values(await here.call(batch)) as Float32Array[];
    await here.close();
    let status: PoolStatus | undefined;
    const found = await fromItems(rows)
      .mapBatches(NeuralPredictor, {
        fnConstructorArgs: [new Checkpoint(folder), { device, featureColumns: ['x'] }],
        batchSize: 4,
        concurrency: 3,
        scalingConfig: { url: coordinator.url, token: coordinator.tokens.admin, device: 'webgpu' },
        onStatus: (told) => (status = told),
      })
      .takeAll();
    const off = expected.map((column, output) => {
      const largest = Math.max(...column.map(Math.abs));
      const values = found.map((row) => Object.values(row as Record<string, number>)[output]!);
      return Math.max(...values.map((value, row) => Math.abs(value - column[row]!) / largest));
    });
    expect(Math.max(...off)).toBeLessThan(NET_TOLERANCE / 50);
    expect(status?.checks.liars).toEqual([]);
    expect(status?.checks.batches).toBeGreaterThan(0);
    expect(coordinator.moderation.bans()).toEqual([]);
  });
});

describe('trees of three classes', () => {
  it.each(['browser', 'deno', 'node'] as const)('have the same bits from a %s worker', async (runtime) => {
    const models = makeServedModels();
    const { checkpoint } = models.classes;
    try {
      const random = seededRandom(3);
      const odd = [null, -0, 1e-40, 3e38, -3e38, 48];
      const number = (): number | null =>
        random() < 0.1 ? odd[Math.floor(random() * odd.length)]! : 400 * (random() - 0.5);
      const rows = Array.from({ length: 6_000 }, () => ({ x: number(), y: number() }));
      const columns = [rows.map(({ x }) => x ?? NaN), rows.map(({ y }) => y ?? NaN)];
      const expected = checkpoint.toPredictor().predict(
        columns.map((column) => Float32Array.from(column)),
        rows.length,
      );
      const found = await fromItems(rows)
        .mapBatches(GBDTPredictor, {
          fnConstructorArgs: [checkpoint],
          batchSize: 500,
          concurrency: 1,
          scalingConfig: { url: coordinator.url, token: coordinator.tokens.admin, runtime },
        })
        .takeAll(rows.length);
      const values = found.flatMap((row) => Object.values(row as Record<string, number>));
      expect(new Set(values).size).toBeGreaterThan(10);
      expect(values).toHaveLength(expected.length);
      expect(values.findIndex((value, at) => !Object.is(value, expected[at]))).toBe(-1);
    } finally {
      models.remove();
    }
  });
});
