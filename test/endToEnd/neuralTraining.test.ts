// A neural net trained by real workers: the same curve whoever takes part, dies or joins.

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startLocalWorkers } from '../../coordinator/cluster/local/localWorkers.ts';
import type { NeuralTrainerOptions } from '../../coordinator/train/neural/neuralOptions.ts';
import { NeuralTrainer } from '../../coordinator/train/neural/neuralTrainer.ts';
import type { NeuralResult } from '../../coordinator/train/neural/netRecording.ts';
import type { ProgressEvent } from '../../coordinator/progress/progressEvent.ts';
import { seededRandom } from '../setup/seededRandom.ts';
import { Swarm } from './swarm.ts';

const ROWS = 240;
const SIDE = 8;

/** Bright squares in one of four corners: a convnet finds them. */
function corners(): { images: Uint8Array; labels: Int32Array } {
  const random = seededRandom(9);
  const images = Uint8Array.from({ length: ROWS * SIDE * SIDE }, () => random() * 80);
  const labels = Int32Array.from({ length: ROWS }, () => Math.floor(random() * 4));
  for (let row = 0; row < ROWS; row++) {
    const [top, left] = [labels[row]! < 2 ? 1 : 5, labels[row]! % 2 === 0 ? 1 : 5];
    for (let at = 0; at < 4; at++) {
      const place = (top + Math.floor(at / 2)) * SIDE + left + (at % 2);
      images[row * SIDE * SIDE + place] = 150 + random() * 100;
    }
  }
  return { images, labels };
}

const layer = (className: string, config: object): object => ({
  class_name: className,
  config,
});
const convnet = {
  class_name: 'Sequential',
  config: {
    name: 'corners',
    layers: [
      layer('Conv2D', {
        name: 'conv',
        filters: 6,
        kernel_size: [3, 3],
        padding: 'same',
        use_bias: false,
        batch_input_shape: [null, SIDE, SIDE, 1],
      }),
      layer('BatchNormalization', { name: 'norm', momentum: 0.9 }),
      layer('Activation', { name: 'relu', activation: 'relu' }),
      layer('MaxPooling2D', { name: 'pool', pool_size: [2, 2] }),
      layer('Flatten', { name: 'flat' }),
      layer('Dropout', { name: 'drop', rate: 0.1 }),
      layer('Dense', { name: 'out', units: 4, activation: 'softmax' }),
    ],
  },
};

let swarm: Swarm;
let folder: string;
/** Products of the net that have sizes of their own. */
const TIMED_SIZES = 5;

let alone: NeuralResult;
const { images, labels } = corners();

interface Trained {
  readonly result: NeuralResult;
  readonly events: readonly ProgressEvent[];
}

async function train(
  numWorkers: number | readonly [number, number],
  maxSteps = 24,
  onEvent: (event: ProgressEvent) => void = () => undefined,
  more: Partial<NeuralTrainerOptions> = {},
): Promise<Trained> {
  const events: ProgressEvent[] = [];
  const rows = {
    inputs: { values: images, shape: [SIDE, SIDE, 1] },
    labels: { values: labels, shape: [] },
  };
  const trainer = new NeuralTrainer({
    datasets: { train: rows, valid: rows },
    model: convnet,
    inputScale: 1 / 255,
    loss: 'sparseCategoricalCrossentropy',
    optimizer: { name: 'sgd', learningRate: 0.2, momentum: 0.9 },
    // Five steps an epoch, the last with 16 rows in two microbatches of 14 and 2.
    globalBatchSize: 56,
    microbatchSize: 14,
    maxSteps,
    reportEverySteps: 1,
    verifyEveryStep: true,
    ...more,
    scalingConfig: {
      numWorkers,
      url: swarm.coordinator.url,
      token: swarm.coordinator.tokens.admin,
    },
    runConfig: {
      name: randomUUID(),
      storagePath: folder,
      verbose: 0,
      callbacks: [{ onEvent: (event) => (events.push(event), onEvent(event)) }],
    },
  });
  return { result: await trainer.fit(), events };
}

function weights({ checkpoint }: NeuralResult): number[] {
  return [...checkpoint.loadNet().state.weights.values()].flatMap(({ values }) => [...values]);
}

/** The confusion matrix counts every row once, the right ones on its diagonal. */
function expectSameAccuracy({ confusionMatrix, metrics }: NeuralResult): void {
  const { classes, counts } = confusionMatrix!;
  const right = Array.from({ length: classes }, (_, i) => counts[i * classes + i]!);
  const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  expect([classes, total(counts)]).toEqual([4, labels.length]);
  expect(total(right) / labels.length).toBeCloseTo(metrics['valid-accuracy']!, 6);
}

/** Losses of all steps, and final weights, are those of one worker alone, to rounding. */
function expectSameCurve({ metricsTable, ...result }: NeuralResult): void {
  expectSameAccuracy({ metricsTable, ...result });
  const own = metricsTable.map((row) => row['train-loss']!);
  const expected = alone.metricsTable.map((row) => row['train-loss']!);
  expect(own).toHaveLength(expected.length);
  const loss = Math.max(...own.map((value, step) => Math.abs(value - expected[step]!)));
  const [a, b] = [weights({ metricsTable, ...result }), weights(alone)];
  const weight = Math.max(...a.map((value, at) => Math.abs(value - b[at]!)));
  // Sums over members are rounded in another order, and steps carry that on.
  expect(loss).toBeLessThan(1e-4);
  expect(weight).toBeLessThan(1e-3);
}

const sizesOf = (events: readonly ProgressEvent[]): number[] =>
  events.flatMap((event) => (event.type === 'group' ? [event.workers.length] : []));

beforeAll(async () => {
  swarm = await Swarm.start();
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-nets-'));
  await swarm.add('node');
  alone = (await train(1)).result;
  await swarm.dismiss();
});
afterEach(() => swarm.dismiss());
afterAll(async () => {
  await swarm.close();
  await rm(folder, { recursive: true, force: true });
});

describe('A neural net trained by a swarm', () => {
  it('is worth something: the reference run learns', () => {
    expect(alone.metrics['valid-accuracy']).toBeGreaterThan(0.95);
    expect(alone.metricsTable).toHaveLength(24);
    expectSameAccuracy(alone);
  });

  it('has the same curve on a tab, Deno and Node together', { timeout: 180_000 }, async () => {
    for (const runtime of ['browser', 'deno', 'node'] as const) await swarm.add(runtime);
    const { result, events } = await train(3);
    expect(sizesOf(events)).toEqual([3]);
    expectSameCurve(result);
  });

  it('has the same curve on a WebGPU device and a processor together', { timeout: 180_000 }, async () => {
    await swarm.add('node', 'webgpu');
    await swarm.add('browser', 'webgpu');
    await swarm.add('node', 'cpu');
    const { result, events } = await train(3);
    expect(sizesOf(events)).toEqual([3]);
    expect(result.workers.filter(({ device }) => /swiftshader/i.test(device))).toHaveLength(2);
    expectSameCurve(result);
  });

  it('has the same curve with tiles that a worker times once and keeps', { timeout: 180_000 }, async () => {
    const cacheFolder = join(folder, 'cache');
    const timed: string[] = [];
    const isWhole = (): boolean => timed.length > 0 && !timed.at(-1)!.includes('others are estimated');
    const live = async (life: string): Promise<void> => {
      const localWorkers = await startLocalWorkers({
        url: swarm.coordinator.url,
        token: swarm.coordinator.tokens.local,
        count: 1,
        runtime: 'node',
        device: 'webgpu',
        cacheFolder,
        onLine: (line) => line.includes('Timed tiles') && timed.push(`${life}: ${line}`),
      });
      const { result } = await train(1, 24, undefined, { tuneKernels: true });
      await localWorkers.stop();
      expectSameCurve(result);
    };
    // Timing has a budget: a busy machine leaves sizes to the next life, and none is timed twice.
    for (const life of ['first', 'second', 'third']) if (!isWhole()) await live(life);
    const linesWhenWhole = timed.length;
    await live('last');
    expect(timed).toHaveLength(linesWhenWhole);
    const sizes = timed.map((line) => Number(/Timed tiles for (\d+) sizes of products/.exec(line)![1]));
    expect(timed[0]).toMatch(/^first: /);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(TIMED_SIZES);
  });

  it('has the same curve when the first worker is killed in the middle', { timeout: 180_000 }, async () => {
    const workers = await swarm.add('node', 'cpu', 3);
    let changing: Promise<unknown> | undefined;
    const { result, events } = await train([2, 3], 24, (event) => {
      if (event.type === 'round' && event.committed.round === 4) changing ??= workers[0]!.kill();
    });
    await changing;
    expect(events.filter((event) => event.type === 'workerLost')).toHaveLength(1);
    expect(sizesOf(events)).toEqual([3, 2]);
    expectSameCurve(result);
  });
});
