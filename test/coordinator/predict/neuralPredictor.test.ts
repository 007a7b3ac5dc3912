// A net's predictions on WebGPU, in this process and on workers, beside those of the processor.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromItems } from '../../../coordinator/data/fromMemory.ts';
import { startLocalWorkers, type LocalWorkers } from '../../../coordinator/cluster/local/localWorkers.ts';
import type { NeuralCheckpoint } from '../../../coordinator/checkpoint/neuralCheckpoint.ts';
import { NeuralTrainer } from '../../../coordinator/train/neural/neuralTrainer.ts';
import { NeuralPredictor } from '../../../coordinator/predict/neuralPredictor.ts';
import { startCoordinator, type Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import { prepareSoftwareDriver } from '../../setup/nodeGpu.ts';
import { seededRandom } from '../../setup/seededRandom.ts';
import { localNetWorld } from '../train/neural/localNetWorld.ts';
import { netOptions } from '../tune/fixtures/moonsExperiment.ts';

const ROWS = 1300;

let folder: string;
let checkpoint: NeuralCheckpoint;
let coordinator: Coordinator;
let localWorkers: LocalWorkers | undefined;
/** By the processor, here. */
let expected: ArrayLike<unknown>;
const random = seededRandom(8);
const rows = Array.from({ length: ROWS }, () => ({ x: 3 * random() - 1, y: 2 * random() - 0.5 }));
const batch = { x: rows.map(({ x }) => x), y: rows.map(({ y }) => y) };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-predict-nets-'));
  const { numEpochs: _numEpochs, ...options } = netOptions();
  const runConfig = { name: 'moons', storagePath: folder, verbose: 0 } as const;
  const trainer = new NeuralTrainer({ ...options, maxSteps: 8, runConfig }, await localNetWorld());
  ({ checkpoint } = await trainer.fit());
  coordinator = await startCoordinator({ port: 0 });
  expected = (await new NeuralPredictor(checkpoint).call(batch))['predictions_1']!;
});
afterAll(async () => {
  await localWorkers?.stop();
  await coordinator.close();
  await rm(folder, { recursive: true });
});

function expectAlike(found: ArrayLike<unknown>): void {
  expect(found).toHaveLength(ROWS);
  const off = Array.from(found, (value, row) => Math.abs((value as number) - (expected[row] as number)));
  expect(Math.max(...off)).toBeLessThan(1e-5);
}

describe('NeuralPredictor', () => {
  it('computes on the adapter of this machine where it is asked to', async () => {
    await prepareSoftwareDriver();
    const predictor = new NeuralPredictor(checkpoint, { device: 'webgpu' });
    expectAlike((await predictor.call(batch))['predictions_1']!);
    await predictor.close();
  });

  it('computes on WebGPU in tabs, Deno and Node', async () => {
    const { url, tokens } = coordinator;
    localWorkers = await startLocalWorkers({
      url,
      token: tokens.local,
      count: 3,
      runtime: ['browser', 'deno', 'node'],
      device: 'webgpu',
    });
    const predicted = fromItems(rows).mapBatches(NeuralPredictor, {
      fnConstructorArgs: [checkpoint, { device: 'webgpu' }],
      batchSize: 150,
      concurrency: 3,
      scalingConfig: { url, token: tokens.admin, device: 'webgpu' },
    });
    const values = (await predicted.takeAll()).map((row) => (row as Record<string, number>)['predictions_1']);
    expectAlike(values);
    await localWorkers.stop();
    localWorkers = undefined;
  });

  it('says so where there is no adapter', async () => {
    const { url, tokens } = coordinator;
    // Whatever this machine has.
    process.env['VK_ICD_FILENAMES'] = join(folder, 'none.json');
    localWorkers = await startLocalWorkers({
      url,
      token: tokens.local,
      count: 1,
      runtime: 'node',
      device: 'cpu',
    });
    const predicted = fromItems(rows).mapBatches(NeuralPredictor, {
      fnConstructorArgs: [checkpoint, { device: 'webgpu' }],
      concurrency: 1,
      scalingConfig: { url, token: tokens.admin },
    });
    await expect(predicted.takeAll()).rejects.toThrow(/has no WebGPU/);
    await expect(new NeuralPredictor(checkpoint, { device: 'webgpu' }).call(batch)).rejects.toMatchObject({
      code: 'ADAPTER_MISSING',
      place: { field: 'device' },
    });
  });
});
