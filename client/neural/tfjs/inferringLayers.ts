// Layers that behave as in inference while a model is trained: batch normalizations that are frozen, as Keras has it, and
// what was called with training=False. tfjs itself heeds neither.

import type * as tfjs from '@tensorflow/tfjs';
import { readCalls } from '../../../shared/neural/model/layerCalls.ts';

type Layer = tfjs.layers.Layer;

/**
 * Replaces the calls of these layers.
 * @param layers with nothing inside them, of a model that was built of the topology.
 */
export function holdInInference(layers: readonly Layer[], topology: object): ReadonlySet<Layer> {
  const calls = readCalls(topology).calls.filter(({ isInput }) => !isInput);
  const inTraining = new Set(calls.filter(({ infers }) => !infers).map(({ layer }) => layer.name));
  const called = new Set(calls.map(({ layer }) => layer.name));
  const held = layers.filter(
    (layer) =>
      (layer.getClassName() === 'BatchNormalization' && !layer.trainable) ||
      (called.has(layer.name) && !inTraining.has(layer.name)),
  );
  for (const layer of held) {
    const call = layer.call.bind(layer);
    layer.call = (inputs, settings) => call(inputs, { ...settings, training: false });
  }
  return new Set(held);
}
