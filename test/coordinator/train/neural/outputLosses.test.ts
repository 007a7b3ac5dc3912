// What a net gives decides how its loss is taken: whatever stands between softmax or sigmoid and the output, losses are tfjs's.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NeuralTrainer } from '../../../../coordinator/train/neural/neuralTrainer.ts';
import type { NeuralWorld } from '../../../../coordinator/train/neural/netRun.ts';
import type { TensorColumn } from '../../../../coordinator/train/neural/tensorSet.ts';
import { compiledNetWorld, localNetWorld } from './localNetWorld.ts';

const { layers } = tf;
const ROWS = 12;
const STEPS = 3;
let folder: string;
let byTfjs: NeuralWorld;
let compiled: NeuralWorld;

beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-losses-'));
  byTfjs = await localNetWorld();
  compiled = await compiledNetWorld();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const inputs: TensorColumn = {
  values: Float32Array.from({ length: 4 * ROWS }, (_, i) => Math.sin(i)),
  shape: [4],
};
const classes: TensorColumn = { values: Int32Array.from({ length: ROWS }, (_, i) => i % 3), shape: [] };
const several: TensorColumn = {
  values: Float32Array.from({ length: 2 * ROWS }, (_, i) => Number(i % 3 === 0)),
  shape: [2],
};
const head = (units: number, seed: number, activation?: 'sigmoid' | 'softmax'): tf.layers.Layer =>
  layers.dense({
    units,
    ...(activation && { activation }),
    kernelInitializer: tf.initializers.randomNormal({ stddev: 2, seed }),
  });
const sequential = (...steps: tf.layers.Layer[]): tf.LayersModel =>
  tf.sequential({ layers: [layers.inputLayer({ inputShape: [4] }), ...steps] });

function sigmoidHeads(): tf.LayersModel {
  const x = tf.input({ shape: [4] });
  const heads = [3, 4].map((seed) => head(1, seed, 'sigmoid').apply(x) as tf.SymbolicTensor);
  return tf.model({ inputs: x, outputs: layers.concatenate().apply(heads) as tf.SymbolicTensor });
}

interface LossCase {
  readonly title: string;
  readonly build: () => tf.LayersModel;
  readonly loss: 'binaryCrossentropy' | 'sparseCategoricalCrossentropy';
}
const cases: readonly LossCase[] = [
  {
    title: 'a softmax layer as tfjs writes it',
    build: () => sequential(head(3, 3), layers.softmax()),
    loss: 'sparseCategoricalCrossentropy',
  },
  {
    title: 'softmax, reshaped',
    build: () => sequential(head(3, 3, 'softmax'), layers.reshape({ targetShape: [3] })),
    loss: 'sparseCategoricalCrossentropy',
  },
  { title: 'sigmoid heads put together', build: sigmoidHeads, loss: 'binaryCrossentropy' },
];

async function lossesOfTfjs(model: tf.LayersModel, loss: LossCase['loss']): Promise<number[]> {
  model.compile({ optimizer: tf.train.sgd(0.1), loss });
  const x = tf.tensor(inputs.values, [ROWS, 4]);
  const y =
    loss === 'binaryCrossentropy'
      ? tf.tensor(several.values, [ROWS, 2])
      : tf.tensor(Float32Array.from(classes.values), [ROWS, 1]);
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step += 1) losses.push((await model.trainOnBatch(x, y)) as number);
  return losses;
}

let runs = 0;

const trained = (world: NeuralWorld, model: tf.LayersModel | object, loss: LossCase['loss']) =>
  new NeuralTrainer(
    {
      model,
      loss,
      datasets: { train: { inputs, labels: loss === 'binaryCrossentropy' ? several : classes } },
      optimizer: { name: 'sgd', learningRate: 0.1 },
      globalBatchSize: ROWS,
      maxSteps: STEPS,
      reportEverySteps: 1,
      runConfig: { name: `losses-${(runs += 1)}`, storagePath: folder, verbose: 0 },
    },
    world,
  ).fit();

describe.each(cases)('$title', ({ build, loss }) => {
  it.each(['compiled', 'by tfjs'])("has tfjs's losses, trained %s", async (engine) => {
    const model = build();
    const { metricsTable } = await trained(engine === 'compiled' ? compiled : byTfjs, model, loss);
    const expected = await lossesOfTfjs(model, loss);
    metricsTable.forEach((metrics, step) => expect(metrics['train-loss']).toBeCloseTo(expected[step]!, 4));
    expect(metricsTable.length).toBe(STEPS);
  });
});

it('refuses a cross-entropy of what may be probabilities or not, and takes the word of the owner', async () => {
  const x = tf.input({ shape: [4] });
  const heads = [3, 4].map((seed) => head(3, seed, 'softmax').apply(x) as tf.SymbolicTensor);
  const added = layers.add({ name: 'both' }).apply(heads) as tf.SymbolicTensor;
  const model = tf.model({ inputs: x, outputs: added });
  await expect(trained(compiled, model, 'sparseCategoricalCrossentropy')).rejects.toMatchObject({
    code: 'TRAIN_ARGUMENT',
    message: expect.stringContaining('layer "both" (Add)') as string,
  });
});
