// The nets of keras.applications as their papers and Keras have them, by tfjs's layers: their topologies, with few channels.

import * as tf from '@tensorflow/tfjs';

const { layers } = tf;
type Value = tf.SymbolicTensor;

/** In which order a residual and the main branch are added; Keras has either. */
export type Order = 'main first' | 'skip first';

const SIZE = 64;
/** Channels are this part of those of the paper. */
const PART = 16;
const few = (channels: number): number => Math.max(1, Math.round(channels / PART));

const on = (layer: tf.layers.Layer, x: Value): Value => layer.apply(x) as Value;
const merged = (layer: tf.layers.Layer, order: Order, skip: Value, main: Value): Value =>
  layer.apply(order === 'skip first' ? [skip, main] : [main, skip]) as Value;
const norm = (x: Value): Value => on(layers.batchNormalization(), x);
const relu = (x: Value): Value => on(layers.activation({ activation: 'relu' }), x);
const relu6 = (x: Value): Value => on(layers.reLU({ maxValue: 6 }), x);
const conv = (x: Value, channels: number, kernelSize: number, strides = 1): Value =>
  on(
    layers.conv2d({
      filters: few(channels),
      kernelSize,
      strides,
      padding: 'same',
      useBias: false,
      kernelInitializer: 'zeros',
    }),
    x,
  );

function net(build: (x: Value) => Value): tf.LayersModel {
  const x = tf.input({ shape: [SIZE, SIZE, 3] });
  const pooled = on(layers.globalAveragePooling2d({}), build(x));
  return tf.model({ inputs: x, outputs: on(layers.dense({ units: 10, activation: 'softmax' }), pooled) });
}

/** He et al. 2015. */
export function resNet50(order: Order): tf.LayersModel {
  return net((x) => {
    let y = on(
      layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
      relu(norm(conv(x, 64, 7, 2))),
    );
    for (const [stage, blocks] of [3, 4, 6, 3].entries()) {
      const channels = 64 * 2 ** stage;
      for (let block = 0; block < blocks; block += 1) {
        const strides = block === 0 && stage > 0 ? 2 : 1;
        const skip = block === 0 ? norm(conv(y, 4 * channels, 1, strides)) : y;
        const main = norm(
          conv(relu(norm(conv(relu(norm(conv(y, channels, 1, strides))), channels, 3))), 4 * channels, 1),
        );
        y = relu(merged(layers.add(), order, skip, main));
      }
    }
    return y;
  });
}

/** Sandler et al. 2018. */
export function mobileNetV2(order: Order): tf.LayersModel {
  const depthwise = (x: Value, strides: number): Value =>
    on(layers.depthwiseConv2d({ kernelSize: 3, strides, padding: 'same', useBias: false }), x);
  return net((x) => {
    let y = relu6(norm(conv(x, 32, 3, 2)));
    for (const [expansion, channels, repeats, stride] of [
      [1, 16, 1, 1],
      [6, 24, 2, 2],
      [6, 32, 3, 2],
      [6, 64, 4, 2],
      [6, 96, 3, 1],
      [6, 160, 3, 2],
      [6, 320, 1, 1],
    ] as const) {
      for (let repeat = 0; repeat < repeats; repeat += 1) {
        const wide = relu6(norm(conv(y, PART * expansion * y.shape.at(-1)!, 1)));
        const main = norm(conv(relu6(norm(depthwise(wide, repeat === 0 ? stride : 1))), channels, 1));
        y = repeat === 0 ? main : merged(layers.add(), order, y, main);
      }
    }
    return relu6(norm(conv(y, 1280, 1)));
  });
}

/** Huang et al. 2016. */
export function denseNet121(order: Order): tf.LayersModel {
  return net((x) => {
    let y = on(layers.maxPooling2d({ poolSize: 3, strides: 2 }), relu(norm(conv(x, 64, 7, 2))));
    for (const [stage, blocks] of [6, 12, 24, 16].entries()) {
      for (let block = 0; block < blocks; block += 1) {
        const main = conv(relu(norm(conv(relu(norm(y)), 128, 1))), 32, 3);
        y = merged(layers.concatenate(), order, y, main);
      }
      if (stage === 3) break;
      const half = conv(relu(norm(y)), (PART * y.shape.at(-1)!) / 2, 1);
      y = on(layers.averagePooling2d({ poolSize: 2, strides: 2, padding: 'same' }), half);
    }
    return relu(norm(y));
  });
}

/** Chollet 2016. */
export function xception(order: Order): tf.LayersModel {
  const separable = (x: Value, channels: number): Value =>
    norm(
      on(
        layers.separableConv2d({ filters: few(channels), kernelSize: 3, padding: 'same', useBias: false }),
        x,
      ),
    );
  return net((x) => {
    let y = relu(norm(conv(relu(norm(conv(x, 32, 3, 2))), 64, 3)));
    for (const channels of [128, 256, 728]) {
      const skip = norm(conv(y, channels, 1, 2));
      const main = on(
        layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
        separable(relu(separable(relu(y), channels)), channels),
      );
      y = merged(layers.add(), order, skip, main);
    }
    for (let block = 0; block < 8; block += 1) {
      let main = y;
      for (let step = 0; step < 3; step += 1) main = separable(relu(main), 728);
      y = merged(layers.add(), order, y, main);
    }
    return relu(separable(y, 1536));
  });
}
