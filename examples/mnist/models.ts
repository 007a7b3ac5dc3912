// The nets of the lesson, in tfjs's layers: ResNet-18 as in PyTorch's torchvision, with Ray's stem and with the small one
// that is usual for small images, and a convnet for machines without a GPU.

import * as tf from '@tensorflow/tfjs';

/** 7×7 with stride 2 and max-pooling, as for photographs and in Ray's lesson; or 3×3, which keeps all of a small image. */
export type Stem = '3x3' | '7x7';

const IMAGE = [28, 28, 1];
const CLASSES = 10;

/** 11,175,370 trained parameters with the 7×7 stem, 11,172,810 with the 3×3 one. The output is logits. */
export function resnet18(stem: Stem, seed: number): tf.LayersModel {
  const layers = new Layers(seed);
  const image = tf.input({ shape: IMAGE, name: 'image' });
  let features: tf.SymbolicTensor;
  if (stem === '7x7') {
    features = relu(layers.normalized(image, { filters: 64, kernelSize: 7, strides: 2 }));
    features = apply(tf.layers.zeroPadding2d({ padding: 1 }), features);
    features = apply(tf.layers.maxPooling2d({ poolSize: 3, strides: 2 }), features);
  } else {
    features = relu(layers.normalized(image, { filters: 64, kernelSize: 3, strides: 1 }));
  }
  for (const filters of [64, 128, 256, 512]) {
    features = block(layers, features, filters, filters === 64 ? 1 : 2);
    features = block(layers, features, filters, 1);
  }
  features = apply(tf.layers.globalAveragePooling2d({}), features);
  return tf.model({ inputs: image, outputs: layers.classes(features), name: 'resnet18' });
}

/** 98 % within one pass over MNIST at 1.2 MFLOP an image trained. The output is logits. */
export function convnet(seed: number): tf.LayersModel {
  const layers = new Layers(seed);
  const image = tf.input({ shape: IMAGE, name: 'image' });
  let features = relu(layers.normalized(image, { filters: 12, kernelSize: 5, strides: 2 }));
  features = relu(layers.normalized(features, { filters: 24, kernelSize: 3, strides: 2 }));
  features = apply(tf.layers.flatten(), features);
  return tf.model({ inputs: image, outputs: layers.classes(features), name: 'convnet' });
}

/** Two convolutions and a way around them (He et al. 2016). */
function block(
  layers: Layers,
  input: tf.SymbolicTensor,
  filters: number,
  strides: number,
): tf.SymbolicTensor {
  const inner = relu(layers.normalized(input, { filters, kernelSize: 3, strides }));
  const outer = layers.normalized(inner, { filters, kernelSize: 3, strides: 1 });
  const around = strides === 1 ? input : layers.normalized(input, { filters, kernelSize: 1, strides });
  return relu(tf.layers.add().apply([outer, around]) as tf.SymbolicTensor);
}

/** Layers with initial weights of their own, the same for the same seed. */
class Layers {
  #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** A convolution with zeros around as in PyTorch (tfjs's "same" puts more of them behind), and batch normalization. */
  normalized(
    input: tf.SymbolicTensor,
    { filters, kernelSize, strides }: { filters: number; kernelSize: number; strides: number },
  ): tf.SymbolicTensor {
    const padding = (kernelSize - 1) / 2;
    const isSame = strides === 1;
    const padded = isSame || padding === 0 ? input : apply(tf.layers.zeroPadding2d({ padding }), input);
    const convolution = tf.layers.conv2d({
      filters,
      kernelSize,
      strides,
      padding: isSame ? 'same' : 'valid',
      useBias: false,
      kernelInitializer: this.#initializer('fanOut', 2),
    });
    return apply(tf.layers.batchNormalization({ momentum: 0.9, epsilon: 1e-5 }), apply(convolution, padded));
  }

  classes(features: tf.SymbolicTensor): tf.SymbolicTensor {
    const kernelInitializer = this.#initializer('fanIn', 1);
    return apply(tf.layers.dense({ units: CLASSES, kernelInitializer, name: 'logits' }), features);
  }

  #initializer(mode: 'fanIn' | 'fanOut', scale: number): ReturnType<typeof tf.initializers.varianceScaling> {
    return tf.initializers.varianceScaling({ scale, mode, distribution: 'normal', seed: this.#seed++ });
  }
}

const relu = (input: tf.SymbolicTensor): tf.SymbolicTensor => apply(tf.layers.reLU(), input);

function apply(layer: tf.layers.Layer, input: tf.SymbolicTensor): tf.SymbolicTensor {
  return layer.apply(input) as tf.SymbolicTensor;
}
