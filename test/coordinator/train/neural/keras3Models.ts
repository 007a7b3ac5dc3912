// model.json's topologies as Keras 3 writes them and tensorflowjs_converter passes them on, each with the same layers in tfjs.

import * as tf from '@tensorflow/tfjs';

const { layers } = tf;

interface Keras3Model {
  readonly topology: object;
  readonly same: () => tf.LayersModel;
}

const dtype = {
  module: 'keras',
  class_name: 'DTypePolicy',
  config: { name: 'float32' },
  registered_name: null,
};
const glorot = {
  module: 'keras.initializers',
  class_name: 'GlorotUniform',
  config: { seed: null },
  registered_name: null,
};

const layer = (className: string, name: string, config: object, nodes?: readonly object[]): object => ({
  module: 'keras.layers',
  class_name: className,
  config: { name, trainable: true, dtype, ...config },
  registered_name: null,
  build_config: { input_shape: [null, 4] },
  name,
  ...(nodes && { inbound_nodes: nodes }),
});
const input = (name: string, nodes?: readonly object[]): object =>
  layer(
    'InputLayer',
    name,
    { dtype: 'float32', batch_shape: [null, 4], sparse: false, ragged: false },
    nodes,
  );
const dense = (name: string, units: number, activation: unknown, nodes?: readonly object[]): object =>
  layer(
    'Dense',
    name,
    {
      units,
      activation,
      use_bias: true,
      kernel_initializer: glorot,
      kernel_constraint: null,
      lora_rank: null,
    },
    nodes,
  );
const tensor = (name: string, node = 0): object => ({
  class_name: '__keras_tensor__',
  config: { shape: [null, 4], dtype: 'float32', keras_history: [name, node, 0] },
});
const model = (className: string, config: object): object => ({
  keras_version: '3.4.1',
  backend: 'tensorflow',
  model_config: { class_name: className, config },
});
const slope = (name: string, nodes?: readonly object[]): object =>
  layer('LeakyReLU', name, { negative_slope: 0.05 }, nodes);

export function keras3Sequential(): Keras3Model {
  const gelu = { module: 'builtins', class_name: 'function', config: 'silu', registered_name: 'function' };
  return {
    topology: model('Sequential', {
      name: 's',
      trainable: true,
      dtype,
      layers: [input('input_layer'), dense('d', 5, gelu), slope('l'), dense('o', 3, 'softmax')],
      build_input_shape: [null, 4],
    }),
    same: () =>
      tf.sequential({
        layers: [
          layers.dense({ name: 'd', units: 5, inputShape: [4], activation: 'swish' }),
          layers.leakyReLU({ alpha: 0.05 }),
          layers.dense({ name: 'o', units: 3, activation: 'softmax' }),
        ],
      }),
  };
}

export function keras3Functional(): Keras3Model {
  const call = (...tensors: readonly object[]): object[] => [{ args: tensors, kwargs: {} }];
  const inner = {
    ...layer('Functional', 'inner', {
      layers: [
        input('inner_x', []),
        dense('inner_d', 4, 'relu', call(tensor('inner_x'))),
        slope('inner_l', call(tensor('inner_d'))),
      ],
      input_layers: [['inner_x', 0, 0]],
      output_layers: [['inner_l', 0, 0]],
    }),
    inbound_nodes: [{ args: [tensor('x')], kwargs: { training: null, mask: null } }],
  };
  return {
    topology: model('Functional', {
      name: 'f',
      trainable: true,
      layers: [
        input('x', []),
        inner,
        layer('Add', 'a', {}, [{ args: [[tensor('x'), tensor('inner')]], kwargs: {} }]),
        layer('Multiply', 'm', {}, [{ args: [], kwargs: { inputs: [tensor('a'), tensor('x')] } }]),
        dense('o', 3, 'softmax', call(tensor('m'))),
      ],
      input_layers: ['x', 0, 0],
      output_layers: ['o', 0, 0],
    }),
    same: () => {
      const innerX = tf.input({ shape: [4] });
      const innerD = layers.dense({ name: 'inner_d', units: 4, activation: 'relu' }).apply(innerX);
      const net = tf.model({
        inputs: innerX,
        outputs: layers.leakyReLU({ alpha: 0.05 }).apply(innerD) as tf.SymbolicTensor,
      });
      const x = tf.input({ shape: [4] });
      const sum = layers.add().apply([x, net.apply(x)] as tf.SymbolicTensor[]) as tf.SymbolicTensor;
      const product = layers.multiply().apply([sum, x]);
      const output = layers.dense({ name: 'o', units: 3, activation: 'softmax' }).apply(product);
      return tf.model({ inputs: x, outputs: output as tf.SymbolicTensor });
    },
  };
}
