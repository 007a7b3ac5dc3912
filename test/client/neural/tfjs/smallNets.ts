// Nets of a few weights for tests of engines, with batches for them. Seeded: every call gives the same numbers.

import * as tf from '@tensorflow/tfjs';
import type { TfjsEngineSpec } from '../../../../client/neural/tfjs/tfjsEngine.ts';
import type { Microbatch } from '../../../../shared/neural/trainingEngine.ts';
import { seededRandom } from '../../../setup/seededRandom.ts';

export const EXAMPLES = 6;
export const CLASSES = 3;

const initializer = (seed: number) => tf.initializers.randomUniform({ minval: -0.5, maxval: 0.5, seed });
export const dense = (units: number, more: Partial<Parameters<typeof tf.layers.dense>[0]> = {}) =>
  tf.layers.dense({ units, kernelInitializer: initializer(units), ...more });

export function convnet(): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.conv2d({
        filters: 2,
        kernelSize: 3,
        padding: 'same',
        inputShape: [8, 8, 1],
        // Before a batch norm its gradient is rounding, which Adam would blow up.
        useBias: false,
        kernelInitializer: initializer(1),
      }),
      tf.layers.batchNormalization({ momentum: 0.9, name: 'norm' }),
      tf.layers.reLU(),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.flatten(),
      dense(CLASSES, { activation: 'softmax', name: 'last' }),
    ],
  });
}

export function denseNet(): tf.LayersModel {
  return tf.sequential({
    layers: [
      dense(16, { inputShape: [4], activation: 'tanh' }),
      tf.layers.dropout({ rate: 0.5 }),
      dense(CLASSES, { activation: 'softmax' }),
    ],
  });
}

export function recurrentNet(): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.lstm({
        units: 4,
        inputShape: [3, 2],
        kernelInitializer: initializer(1),
        recurrentInitializer: initializer(2),
      }),
      dense(CLASSES, {
        activation: 'softmax',
        kernelRegularizer: tf.regularizers.l1l2({ l1: 0.01, l2: 0.02 }),
      }),
    ],
  });
}

export function nestedNet(): tf.LayersModel {
  const inner = tf.sequential({
    layers: [
      dense(5, { inputShape: [4], trainable: false }),
      tf.layers.batchNormalization({ momentum: 0.5 }),
    ],
  });
  return tf.sequential({ layers: [inner, dense(CLASSES, { activation: 'softmax' })] });
}

/** `step` also seeds the numbers. */
export function batchOf(model: tf.LayersModel, step: number): Microbatch {
  const random = seededRandom(step + 1);
  const numbers = (length: number) => Float32Array.from({ length }, () => 2 * random() - 1);
  const inputs = model.inputs.map(({ shape }) =>
    numbers(shape.slice(1).reduce<number>((size, side) => size * side!, EXAMPLES)),
  );
  const targets = new Float32Array(EXAMPLES * CLASSES);
  for (let row = 0; row < EXAMPLES; row += 1) targets[row * CLASSES + Math.floor(random() * CLASSES)] = 1;
  return {
    examples: EXAMPLES,
    inputs,
    targets,
    exampleIds: Uint32Array.from(targets.slice(0, EXAMPLES).keys()),
    step,
  };
}

export function inputTensors(model: tf.LayersModel, { inputs, examples }: Microbatch): tf.Tensor[] {
  return inputs.map((values, at) =>
    tf.tensor(values, [examples, ...(model.inputs[at]!.shape.slice(1) as number[])]),
  );
}

export const targetTensor = ({ targets, examples }: Microbatch): tf.Tensor =>
  tf.tensor(targets, [examples, CLASSES]);

export function topologyOf(model: tf.LayersModel): object {
  return model.toJSON(null, false) as unknown as object;
}

export const sgd = { name: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 } as const;

export function specOf(topology: object, changes: Partial<TfjsEngineSpec> = {}): TfjsEngineSpec {
  return {
    topology,
    loss: { name: 'categoricalCrossentropy', fromLogits: false },
    metrics: ['accuracy'],
    optimizer: sgd,
    microbatchSize: EXAMPLES,
    bucketBytes: 25e6,
    seed: 7,
    syncBatchNorm: false,
    ...changes,
  };
}
