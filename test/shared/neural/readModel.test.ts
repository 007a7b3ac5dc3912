import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LayerGraph } from '../../../shared/neural/layerGraph.ts';
import { readModel } from '../../../shared/neural/model/readModel.ts';
import { resnet18 } from '../../../shared/neural/model/resnet18.ts';
import { initialWeights, weightsOf } from '../../../shared/neural/state/namedState.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const topologyOf = (model: tf.LayersModel): unknown => model.toJSON(null, false);

function compiled(topology: unknown): LayerGraph {
  const read = readModel(topology);
  if (read.kind !== 'compiled') throw new Error(`not compiled: ${JSON.stringify(read.part)}`);
  return read.graph;
}

function parameters(graph: LayerGraph): number {
  return weightsOf(graph)
    .filter((weight) => weight.trainable)
    .reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
}

/** One layer of every kind that takes images, one after the other. */
function everyImageLayer(): tf.Sequential {
  const { layers } = tf;
  return tf.sequential({
    layers: [
      layers.conv2d({
        inputShape: [13, 9, 2],
        filters: 4,
        kernelSize: [3, 2],
        strides: [2, 1],
        padding: 'same',
        activation: 'relu6',
      }),
      layers.batchNormalization(),
      layers.depthwiseConv2d({
        kernelSize: 3,
        depthMultiplier: 2,
        dilationRate: 2,
        padding: 'same',
        activation: 'elu',
      }),
      layers.separableConv2d({ filters: 6, kernelSize: 3, padding: 'valid', activation: 'swish' }),
      layers.zeroPadding2d({
        padding: [
          [1, 0],
          [2, 1],
        ],
      }),
      layers.upSampling2d({ size: [2, 3] }),
      layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
      layers.averagePooling2d({ poolSize: [2, 3], strides: [2, 3], padding: 'same' }),
      layers.leakyReLU({ alpha: 0.1 }),
      layers.layerNormalization(),
      layers.flatten(),
      layers.dropout({ rate: 0.25 }),
      layers.dense({ units: 12, activation: 'tanh', kernelRegularizer: tf.regularizers.l2({ l2: 0.01 }) }),
      layers.reshape({ targetShape: [3, 4] }),
      layers.dense({ units: 5, activation: 'softmax' }),
    ],
  });
}

/** One layer of that input. */
const sequential = (shape: readonly number[], layer: { class_name: string; config: object }) => ({
  class_name: 'Sequential',
  config: {
    layers: [{ ...layer, config: { ...layer.config, batch_input_shape: [null, ...shape] } }],
  },
});

describe('Reading a tf.LayersModel', () => {
  it('finds the shapes, weights and parameter count that tfjs has', () => {
    const model = everyImageLayer();
    const graph = compiled(topologyOf(model));
    const last = new Map(graph.nodes.map((node) => [node.name, node.shape]));
    for (const layer of model.layers) {
      expect([layer.name, last.get(layer.name)]).toEqual([
        layer.name,
        (layer.outputShape as number[]).slice(1),
      ]);
    }
    const expected = new Map(model.weights.map(({ originalName, shape }) => [originalName, shape]));
    expect(new Map(weightsOf(graph).map(({ name, shape }) => [name, shape]))).toEqual(expected);
    expect(weightsOf(graph).find(({ l2 }) => l2 !== undefined)).toMatchObject({
      l2: expect.closeTo(0.01, 6),
    });
  });

  it('follows branches, merges, nested models and several calls of a layer without weights', () => {
    const { layers } = tf;
    const image = tf.input({ shape: [6, 6, 3] });
    const words = tf.input({ shape: [4] });
    const relu = layers.reLU();
    const branch = relu.apply(layers.conv2d({ filters: 3, kernelSize: 1 }).apply(image));
    const inner = tf.sequential({ layers: [layers.dense({ units: 3, inputShape: [6, 6, 3] })] });
    const sum = layers.add().apply([branch, inner.apply(image)] as tf.SymbolicTensor[]);
    const product = layers.multiply().apply([sum, image] as tf.SymbolicTensor[]);
    const pooled = layers.globalMaxPooling2d({}).apply(relu.apply(product));
    const table = layers.embedding({ inputDim: 9, outputDim: 2 }).apply(words);
    const joined = layers.concatenate().apply([pooled, layers.flatten().apply(table)] as tf.SymbolicTensor[]);
    const output = layers.dense({ units: 2 }).apply(joined) as tf.SymbolicTensor;
    const graph = compiled(topologyOf(tf.model({ inputs: [image, words], outputs: output })));
    expect(graph.nodes[graph.output]!.shape).toEqual([2]);
    expect(graph.inputs.map((at) => graph.nodes[at])).toMatchObject([
      { shape: [6, 6, 3], operation: { dtype: 'float32' } },
      { shape: [4], operation: { dtype: 'int32' } },
    ]);
    expect(graph.nodes.map((node) => node.operation.type)).toContain('concatenate');
    for (const [at, node] of graph.nodes.entries()) {
      for (const input of node.inputs) expect(input).toBeLessThan(at);
    }
  });

  it('names the layer that only tfjs can train', () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ inputShape: [8, 1], units: 2 }),
        tf.layers.lstm({ name: 'remember', units: 2 }),
      ],
    });
    expect(readModel(topologyOf(model))).toEqual({
      kind: 'unsupported',
      part: { layer: 'remember', className: 'LSTM', reason: 'layers of this kind are not compiled' },
    });
  });

  it('gives a layer that is called several times its weights once', () => {
    const x = tf.input({ shape: [4] });
    const twice = tf.layers.dense({ name: 'twice', units: 4 });
    const y = twice.apply(twice.apply(x)) as tf.SymbolicTensor;
    const graph = compiled(topologyOf(tf.model({ inputs: x, outputs: y })));
    expect(graph.nodes.filter(({ name }) => name === 'twice')).toHaveLength(2);
    expect(weightsOf(graph).map(({ name }) => name)).toEqual(['twice/kernel', 'twice/bias']);
  });

  it('keeps two layers of one name apart, and moving statistics that would move twice, for tfjs', () => {
    const x = tf.input({ shape: [4] });
    const named = () => {
      const inner = tf.input({ shape: [4] });
      const y = tf.layers.dense({ name: 'same', units: 4 }).apply(inner) as tf.SymbolicTensor;
      return tf.model({ inputs: inner, outputs: y });
    };
    const apart = named().apply(named().apply(x)) as tf.SymbolicTensor;
    expect(readModel(topologyOf(tf.model({ inputs: x, outputs: apart })))).toMatchObject({
      part: { layer: 'same', reason: 'another layer has a weight "same/kernel" too' },
    });
    const norm = tf.layers.batchNormalization({ name: 'norm' });
    const model = tf.model({ inputs: x, outputs: norm.apply(norm.apply(x)) as tf.SymbolicTensor });
    expect(readModel(topologyOf(model))).toMatchObject({
      part: { layer: 'norm', reason: 'it is called more than once' },
    });
    // Nothing moves in predictions.
    expect(readModel(topologyOf(model), 'predictions').kind).toBe('compiled');
  });

  it('sees a frozen layer in a wrapper, and one that is not compiled', () => {
    const wrapped = (layer: tf.layers.Layer) =>
      readModel(
        topologyOf(
          tf.sequential({
            layers: [tf.layers.timeDistributed({ name: 'each', layer, inputShape: [3, 4, 2] })],
          }),
        ),
      );
    const frozen = wrapped(tf.layers.dense({ units: 2, trainable: false }));
    if (frozen.kind !== 'compiled') throw new Error(frozen.part.reason);
    expect(weightsOf(frozen.graph)).toEqual([
      { name: 'each/kernel', shape: [2, 2], trainable: false },
      { name: 'each/bias', shape: [2], trainable: false },
    ]);
    expect(wrapped(tf.layers.lstm({ units: 2 }))).toMatchObject({
      part: { layer: 'each', reason: 'a LSTM for each part is not compiled' },
    });
  });

  it.each([
    ['no model', { class_name: 'Dense' }, /expected one of Functional/],
    ['no layers', { class_name: 'Sequential', config: { layers: [] } }, /layers is no list/],
    [
      'a layer without units',
      {
        class_name: 'Sequential',
        config: { layers: [{ class_name: 'Dense', config: { name: 'd', batch_input_shape: [null, 3] } }] },
      },
      /Dense "d": units is missing; expected a whole number/,
    ],
    [
      'no input shape',
      { class_name: 'Sequential', config: { layers: [{ class_name: 'Dense', config: { units: 1 } }] } },
      /is the first and has no input shape/,
    ],
    [
      'a loop',
      {
        class_name: 'Model',
        config: {
          layers: ['a', 'b']
            .map((name, at) => ({
              class_name: 'Add',
              name,
              config: { name },
              inbound_nodes: [[['b', 'a'][at]!, 'x'].map((other) => [other, 0, 0, {}])],
            }))
            .concat([
              {
                class_name: 'InputLayer',
                name: 'x',
                config: { name: 'x', batch_input_shape: [null, 1] },
                inbound_nodes: [],
              } as never,
            ]),
          input_layers: [['x', 0, 0]],
          output_layers: [['a', 0, 0]],
        },
      },
      /form a loop/,
    ],
    [
      'a cropping that leaves nothing',
      sequential([4, 4, 1], { class_name: 'Cropping2D', config: { name: 'c', cropping: 2 } }),
      /Cropping2D "c" leaves nothing of an image of 4×4/,
    ],
    [
      'an order of axes that is none',
      sequential([4, 3], { class_name: 'Permute', config: { name: 'p', dims: [1, 1] } }),
      /Permute "p": dims is \[1,1\]; expected the numbers 1 to 2 in any order/,
    ],
    [
      'slopes shared along no axis',
      sequential([4, 3], { class_name: 'PReLU', config: { name: 'p', shared_axes: [0] } }),
      /PReLU "p": shared_axes is \[0\]; expected numbers from 1 to 2/,
    ],
    [
      'a wrapper around nothing',
      sequential([4, 3], { class_name: 'TimeDistributed', config: { name: 't', layer: 3 } }),
      /TimeDistributed "t": layer is 3; expected a layer/,
    ],
    [
      'a sequence of numbers for a layer of parts',
      sequential([4], {
        class_name: 'TimeDistributed',
        config: { name: 't', layer: { class_name: 'Dense', config: { units: 2 } } },
      }),
      /TimeDistributed "t" takes inputs of at least two dimensions/,
    ],
  ])('refuses %s with a code', (_what, topology, message) => {
    expect(() => readModel(topology)).toThrow(message);
    expect(() => readModel(topology)).toThrow(expect.objectContaining({ code: 'NEURAL_MODEL_INVALID' }));
  });

  it('builds ResNet-18 with the parameters of PyTorch for both stems, which tfjs loads', async () => {
    for (const [stem, count, features] of [
      ['7x7', 11_175_370, [1, 1, 512]],
      ['3x3', 11_172_810, [4, 4, 512]],
    ] as const) {
      const topology = resnet18({ stem });
      const graph = compiled(topology);
      expect(parameters(graph)).toBe(count);
      expect(graph.nodes.find((node) => node.name === 'stage4_block2_add')!.shape).toEqual(features);
      const model = await tf.models.modelFromJSON({ modelTopology: topology } as never);
      expect(model.countParams()).toBe(
        weightsOf(graph).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
      );
      expect(model.outputShape).toEqual([null, 10]);
      model.dispose();
    }
  });
});

describe('Options of resnet18', () => {
  it.each([
    [{ stm: '3x3' }, 'stm is not an option; did you mean stem?'],
    [{ stem: '5x5' }, 'stem is "5x5"; expected 3x3 or 7x7'],
    [{ classes: 0 }, 'classes is 0; expected a whole number from 1'],
    [{ inputShape: [28, 28] }, 'inputShape is [28,28]; expected height, width and channels'],
  ])('%j are refused by name', (options, message) => {
    expect(() => resnet18(options as never)).toThrow(
      expect.objectContaining({ code: 'NEURAL_MODEL_INVALID', message: `resnet18: ${message}` }),
    );
  });
});

describe('Initial weights', () => {
  it('depend on seed and name alone, with the spread that tfjs gives them', () => {
    const read = readModel(resnet18());
    if (read.kind !== 'compiled') throw new Error('not compiled');
    const few = ['stage3_block1_conv2', 'stem_bn'];
    const graph = { ...read.graph, nodes: read.graph.nodes.filter(({ name }) => few.includes(name)) };
    const first = initialWeights(graph, read.initializers, 7);
    const same = initialWeights(graph, read.initializers, 7);
    const other = initialWeights(graph, read.initializers, 8);
    const name = 'stage3_block1_conv2/kernel';
    expect(first.get(name)!.values).toEqual(same.get(name)!.values);
    expect(first.get(name)!.values).not.toEqual(other.get(name)!.values);
    const { values } = first.get(name)!;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    // He et al. 2015 by fan out, cut at two deviations: those have 0.8796 of the spread.
    expect(deviation).toBeCloseTo(0.8796 * Math.sqrt(2 / (256 * 9)), 4);
    expect(Math.abs(mean)).toBeLessThan(1e-3);
    expect(new Set(first.get('stem_bn/moving_variance')!.values)).toEqual(new Set([1]));
  });
});
