// The compiled engine against tfjs's own training on its CPU backend: layers, gradients and whole curves. Some gradients
// of tfjs can't be an oracle and are left to finite differences (compiledEngine.test.ts): a dilated convolution's (it has
// none), an average's over padding and those of resizing (on its CPU backend they are not those of its forward passes).

import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createTrainingEngine } from '../../../shared/neural/engine/createTrainingEngine.ts';
import { readModel } from '../../../shared/neural/model/readModel.ts';
import type { OptimizerSpec } from '../../../kernels/neural/optimizer.ts';
import type { TrainingEngine } from '../../../shared/neural/trainingEngine.ts';
import { seededNumbers } from '../../kernels/seededNumbers.ts';
import { relativeDifference, specOf } from './netData.ts';

const { layers } = tf;
const CLASSES = 3;
const EXAMPLES = 5;
const STEPS = 4;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const head = (x: tf.SymbolicTensor): tf.SymbolicTensor =>
  layers.dense({ units: CLASSES, activation: 'softmax' }).apply(x) as tf.SymbolicTensor;
const chain = (x: tf.SymbolicTensor, ...steps: tf.layers.Layer[]): tf.SymbolicTensor =>
  steps.reduce((value, layer) => layer.apply(value) as tf.SymbolicTensor, x);

function convolutions(): tf.LayersModel {
  const x = tf.input({ shape: [9, 8, 2] });
  const y = chain(
    x,
    layers.conv2d({ filters: 6, kernelSize: 3, strides: 2, padding: 'same', useBias: false }),
    layers.batchNormalization({ momentum: 0.8 }),
    layers.reLU({}),
    layers.conv2d({ filters: 4, kernelSize: [2, 3], padding: 'same', activation: 'elu' }),
    layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same' }),
    layers.leakyReLU({ alpha: 0.1 }),
    layers.separableConv2d({ filters: 5, kernelSize: 2, padding: 'valid' }),
    layers.flatten(),
  );
  return tf.model({ inputs: x, outputs: head(y) });
}

function branches(): tf.LayersModel {
  const x = tf.input({ shape: [6, 6, 2] });
  const a = chain(x, layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same', activation: 'relu6' }));
  const b = chain(a, layers.maxPooling2d({ poolSize: 3, strides: 1, padding: 'same' }));
  const back = layers.zeroPadding2d({
    padding: [
      [1, 2],
      [2, 1],
    ],
  });
  const c = chain(a, layers.averagePooling2d({ poolSize: 2 }), back);
  const d = layers.add().apply([a, b, c]) as tf.SymbolicTensor;
  const e = layers.multiply().apply([d, c]) as tf.SymbolicTensor;
  const f = chain(
    layers.concatenate().apply([d, e]) as tf.SymbolicTensor,
    layers.zeroPadding2d({
      padding: [
        [1, 0],
        [0, 2],
      ],
    }),
  );
  const pooled = [chain(f, layers.globalAveragePooling2d({})), chain(f, layers.globalMaxPooling2d({}))];
  return tf.model({ inputs: x, outputs: head(layers.concatenate().apply(pooled) as tf.SymbolicTensor) });
}

function perceptron(): tf.LayersModel {
  const x = tf.input({ shape: [7] });
  const y = chain(
    x,
    layers.dense({ units: 6, activation: 'tanh' }),
    layers.layerNormalization(),
    layers.dense({
      units: 5,
      activation: 'sigmoid',
      kernelRegularizer: tf.regularizers.l1l2({ l1: 0.02, l2: 0.01 }),
    }),
    layers.dense({ units: 6, activation: 'softmax' }),
  );
  return tf.model({ inputs: x, outputs: head(y) });
}

/** Howard et al. 2019: gates of channels, and what Keras puts in front of its nets. */
function squeezeAndExcite(): tf.LayersModel {
  const x = tf.input({ shape: [6, 5, 3] });
  const scaled = chain(x, layers.rescaling({ scale: 1 / 0.7, offset: -0.2 }));
  const y = chain(scaled, layers.conv2d({ filters: 4, kernelSize: 3, activation: 'selu' }));
  const gate = chain(
    y,
    layers.globalAveragePooling2d({}),
    layers.reshape({ targetShape: [1, 1, 4] }),
    layers.conv2d({ filters: 2, kernelSize: 1, activation: 'mish' }),
    layers.conv2d({ filters: 4, kernelSize: 1, activation: 'hardSigmoid' }),
  );
  const gated = layers.multiply().apply([y, gate]) as tf.SymbolicTensor;
  const shifted = layers.add().apply([gate, gated]) as tf.SymbolicTensor;
  const mean = layers.average().apply([shifted, y, gated]) as tf.SymbolicTensor;
  return tf.model({ inputs: x, outputs: head(chain(mean, layers.globalMaxPooling2d({}))) });
}

function sequences(): tf.LayersModel {
  const x = tf.input({ shape: [13, 3] });
  const y = chain(
    x,
    layers.conv1d({ filters: 5, kernelSize: 3, strides: 2, padding: 'same', activation: 'softplus' }),
    layers.maxPooling1d({ poolSize: 3, strides: 1, padding: 'same' }),
    layers.conv1d({ filters: 4, kernelSize: 2, activation: 'softsign', useBias: false }),
    layers.averagePooling1d({ poolSize: 2 }),
  );
  const pooled = [layers.globalAveragePooling1d(), layers.globalMaxPooling1d(), layers.flatten()].map(
    (layer) => layer.apply(y) as tf.SymbolicTensor,
  );
  const joined = layers.concatenate().apply(pooled) as tf.SymbolicTensor;
  const repeated = chain(joined, layers.repeatVector({ n: 3 }), layers.dense({ units: 2 }), layers.flatten());
  return tf.model({ inputs: x, outputs: head(repeated) });
}

function decoder(): tf.LayersModel {
  const x = tf.input({ shape: [4, 3, 2] });
  const a = chain(
    x,
    layers.conv2dTranspose({ filters: 4, kernelSize: [3, 2], strides: 2, padding: 'same' }),
    layers.prelu({ sharedAxes: [1, 2] }),
    layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: [1, 2], padding: 'valid', useBias: false }),
    layers.prelu({}),
  );
  const cropping: [[number, number], [number, number]] = [
    [1, 2],
    [0, 3],
  ];
  const b = chain(
    a,
    layers.conv2dTranspose({
      filters: 2,
      kernelSize: [1, 2],
      strides: [2, 3],
      padding: 'valid',
      activation: 'tanh',
    }),
    layers.cropping2D({ cropping }),
    layers.permute({ dims: [3, 1, 2] }),
    layers.permute({ dims: [2, 1, 3] }),
    layers.flatten(),
  );
  return tf.model({ inputs: x, outputs: head(b) });
}

function shared(): tf.LayersModel {
  const x = tf.input({ shape: [8] });
  const twice = layers.dense({ units: 8, activation: 'tanh' });
  const inner = tf.input({ shape: [8] });
  const tower = tf.model({
    inputs: inner,
    outputs: chain(inner, layers.dense({ units: 5, activation: 'sigmoid' }), layers.layerNormalization()),
  });
  const a = chain(x, twice);
  const b = chain(a, twice, twice);
  const pair = [a, b].map((value) => tower.apply(value) as tf.SymbolicTensor);
  return tf.model({ inputs: x, outputs: head(layers.multiply().apply(pair) as tf.SymbolicTensor) });
}

function video(): tf.LayersModel {
  const x = tf.input({ shape: [3, 6, 5, 2] });
  const each = (layer: tf.layers.Layer) => layers.timeDistributed({ layer });
  const y = chain(
    x,
    each(layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' })),
    each(layers.prelu({ sharedAxes: [1, 2] })),
    each(layers.depthwiseConv2d({ kernelSize: 2 })),
    each(layers.maxPooling2d({ poolSize: [2, 1] })),
    each(layers.flatten()),
    each(layers.dense({ units: 5, activation: 'softmax' })),
    each(layers.dense({ units: 4 })),
    layers.flatten(),
  );
  return tf.model({ inputs: x, outputs: head(y) });
}

const optimizers: readonly { spec: OptimizerSpec; theirs: () => tf.Optimizer; title: string }[] = [
  {
    title: 'Nesterov momentum',
    spec: { name: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 0 },
    theirs: () => tf.train.momentum(0.05, 0.9, true),
  },
  {
    title: 'Adam',
    spec: { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0 },
    theirs: () => tf.train.adam(0.05, 0.9, 0.999, 1e-7),
  },
];

/** tfjs's weights into the engine, by name. */
function writeWeights(engine: TrainingEngine, model: tf.LayersModel): void {
  const { slots, lengths } = engine.layout;
  const state = {
    parameters: new Float32Array(lengths.parameters),
    statistics: new Float32Array(lengths.statistics),
  };
  for (const { name, section, offset } of slots) state[section].set(weightOf(model, name), offset);
  engine.write('parameters', state.parameters);
  engine.write('statistics', state.statistics);
}

function weightOf(model: tf.LayersModel, name: string): Float32Array {
  const weight = model.weights.find(({ originalName }) => originalName === name);
  if (weight === undefined) throw new Error(`tfjs has no weight ${name}.`);
  return weight.read().dataSync<'float32'>();
}

describe.each([
  { title: 'convolutions and batch norm', build: convolutions },
  { title: 'pools, sums, products and padding', build: branches },
  { title: 'gates of channels, rescaling and averages', build: squeezeAndExcite },
  { title: 'sequences', build: sequences },
  { title: 'transposed convolutions, learned slopes, cropping and permuting', build: decoder },
  { title: 'layers and models that are called several times', build: shared },
  { title: 'layers for each part of a sequence', build: video },
  { title: 'dense layers, layer norm, a softmax inside and a penalty', build: perceptron },
])('$title', ({ build }) => {
  it.each(optimizers)("follows tfjs's curve by $title", async ({ spec: optimizer, theirs }) => {
    const model = build();
    // Weights of tfjs's initializers are not seeded, and biases of 0 would leave relus on their kinks.
    const random = seededNumbers(17);
    model.setWeights(
      model.getWeights().map((weight, k) => {
        const isVariance = model.weights[k]!.originalName.endsWith('moving_variance');
        const isScale = model.weights[k]!.originalName.endsWith('gamma');
        const values = Float32Array.from(
          { length: weight.size },
          () => random.next() - 0.5 + (isVariance || isScale ? 1 : 0),
        );
        return tf.tensor(values, weight.shape);
      }),
    );
    model.compile({ optimizer: theirs(), loss: 'categoricalCrossentropy' });
    const read = readModel(model.toJSON(null, false));
    if (read.kind !== 'compiled') throw new Error(read.part.reason);
    const spec = specOf(read.graph, {
      loss: { name: 'categoricalCrossentropy', fromLogits: false },
      optimizer,
      microbatchSize: EXAMPLES,
    });
    const engine = await createTrainingEngine(spec, { device: 'cpu' });
    writeWeights(engine, model);

    const shape = model.inputs[0]!.shape.slice(1) as number[];
    const inputs = Float32Array.from(
      { length: EXAMPLES * shape.reduce((a, b) => a * b, 1) },
      () => 2 * random.next() - 1,
    );
    const targets = new Float32Array(EXAMPLES * CLASSES);
    for (let example = 0; example < EXAMPLES; example += 1)
      targets[example * CLASSES + random.below(CLASSES)] = 1;
    const x = tf.tensor(inputs, [EXAMPLES, ...shape]);
    const y = tf.tensor(targets, [EXAMPLES, CLASSES]);

    const before = (model.predict(x) as tf.Tensor).dataSync();
    expect(relativeDifference(await engine.predict([inputs], EXAMPLES), before)).toBeLessThan(1e-5);
    for (let step = 0; step < STEPS; step += 1) {
      await engine.accumulate(
        { examples: EXAMPLES, inputs: [inputs], targets, exampleIds: new Uint32Array(EXAMPLES), step },
        { isLast: false },
      );
      const { loss, penalty } = await engine.takeTotals();
      engine.update({ learningRate: 0.05, step, examples: EXAMPLES, microbatches: 1 });
      const theirLoss = (await model.trainOnBatch(x, y)) as number;
      expect(Math.abs(loss / EXAMPLES + penalty - theirLoss) / theirLoss).toBeLessThan(1e-4);
    }
    const sections = {
      parameters: await engine.read('parameters'),
      statistics: await engine.read('statistics'),
    };
    for (const { name, section, offset, length } of engine.layout.slots) {
      const ours = sections[section].subarray(offset, offset + length);
      // Adam divides by the root of a small number: rounding of gradients near 0 is seen in the weights.
      expect
        .soft(relativeDifference(ours, weightOf(model, name)), name)
        .toBeLessThan(optimizer.name === 'adam' ? 2e-3 : 5e-5);
    }
    const after = (model.predict(x) as tf.Tensor).dataSync();
    expect(relativeDifference(await engine.predict([inputs], EXAMPLES), after)).toBeLessThan(1e-3);
    expect(relativeDifference(after, before)).toBeGreaterThan(1e-2);
    await engine.close();
  });
});
