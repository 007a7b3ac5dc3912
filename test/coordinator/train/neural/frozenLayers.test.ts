// Frozen batch normalization is that of Keras: it normalizes by its moving statistics and leaves them alone. The same net
// with a fixed scale and shift for every channel in its place, trained by tfjs, is the oracle.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NeuralTrainer } from '../../../../coordinator/train/neural/neuralTrainer.ts';
import { NeuralPredictor } from '../../../../coordinator/predict/neuralPredictor.ts';
import { readModel } from '../../../../shared/neural/model/readModel.ts';
import { compiledNetWorld, localNetWorld } from './localNetWorld.ts';

const { layers } = tf;
const ROWS = 6;
const CHANNELS = 4;
const EPSILON = 1e-3;
const STEPS = 4;
let folder: string;

beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-frozen-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function net(middle: tf.layers.Layer): tf.LayersModel {
  const seeded = (seed: number) => tf.initializers.randomNormal({ stddev: 0.4, seed });
  return tf.sequential({
    layers: [
      layers.conv2d({
        name: 'conv',
        inputShape: [5, 5, 2],
        filters: CHANNELS,
        kernelSize: 3,
        kernelInitializer: seeded(1),
      }),
      middle,
      layers.reLU(),
      layers.globalAveragePooling2d({}),
      layers.dropout({ name: 'drop', rate: 0.5 }),
      layers.dense({ name: 'head', units: 3, activation: 'softmax', kernelInitializer: seeded(2) }),
    ],
  });
}

const statistics = {
  gamma: [1.5, 0.5, -0.7, 1],
  beta: [0.1, -0.2, 0.3, 0],
  moving_mean: [0.3, -0.1, 0, 0.2],
  moving_variance: [0.5, 2, 1, 0.1],
};

function frozenNet(): tf.LayersModel {
  const norm = layers.batchNormalization({ name: 'norm', momentum: 0.5, epsilon: EPSILON });
  norm.trainable = false;
  const model = net(norm);
  norm.setWeights(Object.values(statistics).map((values) => tf.tensor1d(values)));
  return model;
}

/** y = (x − mean) / √(variance + ε) · gamma + beta as a convolution of each channel by itself. */
function scaledNet(): tf.LayersModel {
  const scale = layers.depthwiseConv2d({ name: 'norm', kernelSize: 1 });
  scale.trainable = false;
  const model = net(scale);
  const { gamma, beta, moving_mean: mean, moving_variance: variance } = statistics;
  const factors = gamma.map((value, c) => value / Math.sqrt(variance[c]! + EPSILON));
  const shifts = beta.map((value, c) => value - mean[c]! * factors[c]!);
  scale.setWeights([tf.tensor(factors, [1, 1, CHANNELS, 1]), tf.tensor1d(shifts)]);
  return model;
}

/** Without the dropout, whose elements differ from tfjs's. */
function calledForInference(topology: unknown): object {
  const json = JSON.parse(JSON.stringify(topology)) as {
    config: { layers: { config: { name: string; rate?: number } }[] };
  };
  for (const { config } of json.config.layers) if (config.name === 'drop') config.rate = 0;
  return json;
}

const values = Float32Array.from({ length: 50 * ROWS }, (_, i) => Math.sin(i * i));
const labels = Int32Array.from({ length: ROWS }, (_, row) => row % 3);

it.each([
  ['compiled', compiledNetWorld],
  ['by tfjs', localNetWorld],
] as const)('trains what is not frozen as if it were a fixed scale and shift, %s', async (title, open) => {
  const model = frozenNet();
  const before = new Map(model.weights.map(({ originalName, ...weight }) => [originalName, weight]));
  const weights = new Map(
    model.weights.map((weight) => [weight.originalName, [...weight.read().dataSync()]]),
  );
  expect(before.size).toBe(8);
  // A live model with its dropout taken out keeps its weights.
  const live = { toJSON: () => calledForInference(model.toJSON(null, false)), weights: model.weights };
  const { checkpoint, metricsTable } = await new NeuralTrainer(
    {
      model: live,
      datasets: { train: { inputs: { values, shape: [5, 5, 2] }, labels: { values: labels, shape: [] } } },
      loss: 'sparseCategoricalCrossentropy',
      optimizer: { name: 'sgd', learningRate: 0.5 },
      globalBatchSize: ROWS,
      maxSteps: STEPS,
      reportEverySteps: 1,
      runConfig: { name: `frozen-${title.replace(' ', '-')}`, storagePath: folder, verbose: 0 },
    },
    await open(),
  ).fit();

  const oracle = tf.sequential({ layers: scaledNet().layers.filter(({ name }) => name !== 'drop') });
  for (const name of ['conv', 'head']) {
    oracle.getLayer(name).setWeights(
      ['kernel', 'bias'].map((part) => {
        const shape = oracle.getLayer(name).weights[part === 'kernel' ? 0 : 1]!.shape as number[];
        return tf.tensor(weights.get(`${name}/${part}`)!, shape);
      }),
    );
  }
  oracle.compile({ optimizer: tf.train.sgd(0.5), loss: 'sparseCategoricalCrossentropy' });
  const [x, y] = [tf.tensor(values, [ROWS, 5, 5, 2]), tf.tensor(Float32Array.from(labels), [ROWS, 1])];
  for (let step = 0; step < STEPS; step += 1) {
    const loss = (await oracle.trainOnBatch(x, y)) as number;
    expect(metricsTable[step]!['train-loss']).toBeCloseTo(loss, 4);
  }
  const after = checkpoint.loadNet().state.weights;
  for (const [name, kept] of Object.entries(statistics))
    expect(after.get(`norm/${name}`)!.values).toEqual(Float32Array.from(kept));
  for (const name of ['conv', 'head']) {
    const wanted = oracle.getLayer(name).weights[0]!.read().dataSync();
    after.get(`${name}/kernel`)!.values.forEach((value, at) => expect(value).toBeCloseTo(wanted[at]!, 4));
    expect(after.get(`${name}/kernel`)!.values).not.toEqual(
      Float32Array.from(weights.get(`${name}/kernel`)!),
    );
  }

  const predictor = new NeuralPredictor(checkpoint);
  const rows = Array.from({ length: ROWS }, (_, row) => values.subarray(50 * row, 50 * row + 50));
  const predicted = await predictor.call({ x: rows });
  const wanted = (oracle.predict(x) as tf.Tensor2D).arraySync();
  wanted.forEach((row, at) =>
    row.forEach((value, column) => expect(predicted[`predictions_${column}`]![at]).toBeCloseTo(value, 4)),
  );
  await predictor.close();
});

it('is compiled for predictions whatever matters in training alone', () => {
  const x = tf.input({ shape: [6, 4] });
  const steps = [
    layers.dense({ units: 4, kernelConstraint: tf.constraints.nonNeg() }),
    layers.gaussianNoise({ stddev: 1 }),
    layers.gaussianDropout({ rate: 0.5 }),
    layers.alphaDropout({ rate: 0.5 }),
    layers.dropout({ rate: 0.5, noiseShape: [1, 1, 4] }),
    layers.spatialDropout1d({ rate: 0.5 }),
    layers.flatten(),
  ];
  const output = steps.reduce((value, layer) => layer.apply(value) as tf.SymbolicTensor, x);
  const topology: unknown = tf.model({ inputs: x, outputs: output }).toJSON(null, false);
  expect(readModel(topology).kind).toBe('unsupported');
  const read = readModel(topology, 'predictions');
  if (read.kind !== 'compiled') throw new Error(read.part.reason);
  expect(read.graph.nodes.map(({ operation }) => operation.type)).toEqual(['input', 'dense', 'reshape']);
});
