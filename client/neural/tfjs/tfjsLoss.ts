// Losses and metrics of one microbatch as sums over its examples, in tfjs's operations, so that its autodiff
// goes through them. Values as tfjs's own losses have them.

import type * as tfjs from '@tensorflow/tfjs';
import type { LossSpec, MetricName } from '../../../shared/neural/trainingEngine.ts';
import type { Tf } from './loadTfjs.ts';

/** Probabilities are kept this far from 0 and 1, as in tfjs. */
const EPSILON = 1e-7;

/** Targets as a tensor of the output's shape: class indices become rows with a single one. */
export function targetTensor(
  tf: Tf,
  loss: LossSpec,
  values: Float32Array | Int32Array,
  shape: readonly number[],
): tfjs.Tensor {
  if (loss.name !== 'sparseCategoricalCrossentropy') return tf.tensor(values, [...shape], 'float32');
  const classes = tf.tensor1d(values, 'int32');
  const rows = tf.oneHot(classes, shape.at(-1)!);
  return rows.toFloat().reshape([...shape]);
}

/** Sum of the examples' losses, a scalar. */
export function lossSum(tf: Tf, loss: LossSpec, output: tfjs.Tensor, target: tfjs.Tensor): tfjs.Scalar {
  return sumOfMeans(tf, lossElements(tf, loss, output, target));
}

/** Sums over examples; a metric of several values an example counts their mean. */
export function metricSum(
  tf: Tf,
  metric: MetricName,
  loss: LossSpec,
  output: tfjs.Tensor,
  target: tfjs.Tensor,
): tfjs.Scalar {
  const elements = {
    accuracy: () => hits(tf, loss, output, target),
    meanAbsoluteError: () => tf.abs(tf.sub(output, target)),
    meanSquaredError: () => tf.squaredDifference(output, target),
  } as const satisfies Record<MetricName, () => tfjs.Tensor>;
  return sumOfMeans(tf, elements[metric]());
}

function lossElements(tf: Tf, loss: LossSpec, output: tfjs.Tensor, target: tfjs.Tensor): tfjs.Tensor {
  if (loss.name === 'meanSquaredError') return tf.squaredDifference(output, target);
  if (loss.name === 'binaryCrossentropy') return binaryElements(tf, loss.fromLogits, output, target);
  return tf.neg(tf.sum(tf.mul(target, logProbabilities(tf, loss, output)), -1));
}

function binaryElements(tf: Tf, fromLogits: boolean, output: tfjs.Tensor, target: tfjs.Tensor): tfjs.Tensor {
  if (fromLogits) {
    // max(x, 0) − x·z + log(1 + exp(−|x|)), which no x overflows.
    const tail = tf.log1p(tf.exp(tf.neg(tf.abs(output))));
    return tf.add(tf.sub(tf.relu(output), tf.mul(output, target)), tail);
  }
  const p = tf.clipByValue(output, EPSILON, 1 - EPSILON);
  const hit = tf.mul(target, tf.log(p));
  const miss = tf.mul(tf.sub(1, target), tf.log(tf.sub(1, p)));
  return tf.neg(tf.add(hit, miss));
}

function logProbabilities(tf: Tf, loss: LossSpec, output: tfjs.Tensor): tfjs.Tensor {
  if (loss.fromLogits) return tf.logSoftmax(output);
  const probabilities = tf.div(output, tf.sum(output, -1, true));
  return tf.log(tf.clipByValue(probabilities, EPSILON, 1 - EPSILON));
}

function hits(tf: Tf, loss: LossSpec, output: tfjs.Tensor, target: tfjs.Tensor): tfjs.Tensor {
  const classes = output.shape.at(-1)!;
  if (loss.name === 'binaryCrossentropy' || classes === 1) {
    const threshold = loss.name === 'binaryCrossentropy' && loss.fromLogits ? 0 : 0.5;
    return tf.equal(tf.greater(output, threshold), tf.greater(target, 0.5)).toFloat();
  }
  return tf.equal(tf.argMax(output, -1), tf.argMax(target, -1)).toFloat();
}

function sumOfMeans(tf: Tf, elements: tfjs.Tensor): tfjs.Scalar {
  const [examples = 0] = elements.shape;
  return tf.sum(tf.mean(tf.reshape(elements, [examples, -1]), 1));
}
