import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readCalls } from '../../../../shared/neural/model/layerCalls.ts';
import { outputKind } from '../../../../shared/neural/model/outputKind.ts';

const { layers } = tf;
type Value = tf.SymbolicTensor;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const kindOf = (topology: unknown) => outputKind(readCalls(topology));
const dense = (activation?: 'sigmoid' | 'softmax' | 'tanh' | 'hardSigmoid'): tf.layers.Layer =>
  layers.dense({
    units: 4,
    ...(activation && { activation }),
    kernelInitializer: tf.initializers.randomNormal({ stddev: 9, seed: 3 }),
  });

function net(shape: number[], build: (x: Value) => Value): tf.LayersModel {
  const x = tf.input({ shape });
  return tf.model({ inputs: x, outputs: build(x) });
}
const chain =
  (...steps: tf.layers.Layer[]) =>
  (x: Value): Value =>
    steps.reduce((value, layer) => layer.apply(value) as Value, x);
const join = (layer: tf.layers.Layer, ...parts: Value[]): Value => layer.apply(parts) as Value;
const on = (x: Value, layer: tf.layers.Layer): Value => layer.apply(x) as Value;
const inner = (activation?: 'softmax'): tf.Sequential =>
  tf.sequential({
    layers: [
      layers.dense({
        units: 4,
        inputShape: [4],
        ...(activation && { activation }),
        kernelInitializer: tf.initializers.randomNormal({ stddev: 9, seed: 3 }),
      }),
    ],
  });

/** What is told of a net is checked by what tfjs computes with it. */
const cases: readonly [string, () => tf.LayersModel, 'numbers' | 'probabilities'][] = [
  ['a softmax layer', () => net([4], chain(dense(), layers.softmax())), 'probabilities'],
  [
    'softmax, reshaped',
    () => net([4], chain(dense('softmax'), layers.reshape({ targetShape: [2, 2] }))),
    'probabilities',
  ],
  [
    'softmax, flattened and dropped',
    () => net([2, 4], chain(dense('softmax'), layers.flatten(), layers.dropout({ rate: 0.5 }))),
    'probabilities',
  ],
  [
    'softmax, permuted',
    () => net([2, 4], chain(dense('softmax'), layers.permute({ dims: [2, 1] }))),
    'probabilities',
  ],
  [
    'softmax, averaged over time',
    () => net([3, 4], chain(dense('softmax'), layers.globalAveragePooling1d({}))),
    'probabilities',
  ],
  [
    'softmax, then linear',
    () => net([4], chain(dense('softmax'), layers.activation({ activation: 'linear' }))),
    'probabilities',
  ],
  ['hard sigmoid', () => net([4], chain(dense('hardSigmoid'))), 'probabilities'],
  [
    'two heads of sigmoids',
    () => net([4], (x) => join(layers.concatenate(), on(x, dense('sigmoid')), on(x, dense('sigmoid')))),
    'probabilities',
  ],
  [
    'the average of two softmaxes',
    () => net([4], (x) => join(layers.average(), on(x, dense('softmax')), on(x, dense('softmax')))),
    'probabilities',
  ],
  [
    'the product of two sigmoids',
    () => net([4], (x) => join(layers.multiply(), on(x, dense('sigmoid')), on(x, dense('sigmoid')))),
    'probabilities',
  ],
  [
    'a softmax in a nested model',
    () => tf.sequential({ layers: [layers.dense({ units: 4, inputShape: [4] }), inner('softmax')] }),
    'probabilities',
  ],
  [
    'a nested model, then a softmax layer',
    () => tf.sequential({ layers: [inner(), layers.softmax()] }),
    'probabilities',
  ],
  [
    'softmax at every time step',
    () => net([3, 4], chain(layers.timeDistributed({ layer: dense('softmax') }))),
    'probabilities',
  ],
  [
    'a recurrent layer of sigmoids',
    () => net([3, 4], chain(layers.simpleRNN({ units: 4, activation: 'sigmoid' }))),
    'probabilities',
  ],
  ['a dense layer', () => net([4], chain(dense())), 'numbers'],
  ['softmax, then a dense layer', () => net([4], chain(dense('softmax'), dense())), 'numbers'],
  [
    'softmax, then batch normalization',
    () => net([4], chain(dense('softmax'), layers.layerNormalization())),
    'numbers',
  ],
  [
    'a gate in front of numbers',
    () => net([4], (x) => join(layers.multiply(), on(x, dense('sigmoid')), on(x, dense()))),
    'numbers',
  ],
  ['an LSTM', () => net([3, 4], chain(layers.lstm({ units: 4 }))), 'numbers'],
  [
    'softmax in the middle',
    () => net([4], (x) => join(layers.concatenate(), on(x, dense()), on(on(x, dense('softmax')), dense()))),
    'numbers',
  ],
];

describe('The kind of output of a net', () => {
  it.each(cases)('is found for %s, as tfjs computes', (_what, build, expected) => {
    const model = build();
    expect(kindOf(model.toJSON(null, false))).toEqual({ kind: expected });
    const shape = [64, ...(model.inputs[0]!.shape.slice(1) as number[])];
    const values = (model.predict(tf.randomNormal(shape, 0, 5, 'float32', 7)) as tf.Tensor).dataSync();
    expect(values.every((value) => value >= 0 && value <= 1 + 1e-6)).toBe(expected === 'probabilities');
  });

  it.each([
    [
      'Add',
      () =>
        net([4], (x) => join(layers.add({ name: 'end' }), on(x, dense('softmax')), on(x, dense('softmax')))),
    ],
    [
      'Concatenate',
      () =>
        net([4], (x) => join(layers.concatenate({ name: 'end' }), on(x, dense('softmax')), on(x, dense()))),
    ],
    [
      'Activation',
      () => net([4], chain(dense('softmax'), layers.activation({ activation: 'tanh', name: 'end' }))),
    ],
    ['Rescaling', () => net([4], chain(dense('softmax'), layers.rescaling({ scale: 100, name: 'end' })))],
  ])('is not guessed after %s', (className, build) => {
    expect(kindOf(build().toJSON(null, false))).toEqual({ kind: 'unknown', layer: 'end', className });
  });

  it('is the same by every name of a layer that is compiled', () => {
    const last = (className: string, config: object): object => ({
      class_name: 'Sequential',
      config: {
        layers: [
          { class_name: className, config: { name: 'last', batch_input_shape: [null, 4, 4, 3], ...config } },
        ],
      },
    });
    for (const className of ['Conv2DTranspose', 'Convolution2DTranspose', 'Deconvolution2D'])
      expect(kindOf(last(className, { activation: 'sigmoid' }))).toEqual({ kind: 'probabilities' });
    for (const className of ['MaxPooling1D', 'MaxPool1D'])
      expect(kindOf(last(className, {}))).toEqual({ kind: 'numbers' });
  });

  it('is not guessed of a layer that is not known, nor after it', () => {
    const layersOf = (last: object[]): object => ({
      class_name: 'Sequential',
      config: {
        layers: [{ class_name: 'Mine', config: { name: 'mine', batch_input_shape: [null, 4] } }, ...last],
      },
    });
    const unknown = { kind: 'unknown', layer: 'mine', className: 'Mine' };
    expect(kindOf(layersOf([]))).toEqual(unknown);
    expect(kindOf(layersOf([{ class_name: 'Flatten', config: { name: 'f' } }]))).toEqual(unknown);
    const named = (activation: unknown): object => ({
      class_name: 'Activation',
      config: { name: 'a', activation },
    });
    expect(kindOf(layersOf([named('softmax')]))).toEqual({ kind: 'probabilities' });
    for (const name of ['constructor', '__proto__', 'toString', { class_name: 'Mine' }])
      expect(kindOf(layersOf([named(name)]))).toMatchObject({ kind: 'unknown', layer: 'a' });
  });
});
