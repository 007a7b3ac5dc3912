// Dropout of tfjs's layers by a hash of (seed, layer, step, example, element) in place of tfjs's random numbers, so that an
// example loses the same elements whoever computes it.

import type * as tfjs from '@tensorflow/tfjs';
import type { Tf } from './loadTfjs.ts';

/** Where in the run the next forward pass is. */
export interface DropoutPlace {
  step: number;
  exampleIds: Uint32Array<ArrayBuffer>;
}

type Call = tfjs.layers.Layer['call'];

/** Replaces the calls of the model's dropout layers; they read `place` at each pass. */
export function hashDropout(
  tf: Tf,
  layers: readonly tfjs.layers.Layer[],
  seed: number,
  place: Readonly<DropoutPlace>,
): void {
  for (const [index, layer] of layers.entries()) {
    const { rate, noiseShape } = layer.getConfig() as { rate: number; noiseShape?: object | null };
    // With a shape of its own, elements share their fate; that is left to tfjs.
    if (layer.getClassName() !== 'Dropout' || noiseShape || rate === 0) continue;
    const call: Call = (inputs, { training }) => {
      const [input] = [inputs].flat() as [tfjs.Tensor];
      if (training !== true) return input;
      const mask = dropoutMask(hash(seed, index), place, input.size / place.exampleIds.length, rate);
      return tf.mul(input, tf.tensor(mask, input.shape));
    };
    layer.call = call;
  }
}

/** 0 for what is dropped, else 1/(1−rate): [examples, elements]. */
function dropoutMask(
  seed: number,
  { step, exampleIds }: Readonly<DropoutPlace>,
  elements: number,
  rate: number,
): Float32Array<ArrayBuffer> {
  const mask = new Float32Array(exampleIds.length * elements);
  const [limit, kept] = [rate * 2 ** 32, 1 / (1 - rate)];
  for (const [row, example] of exampleIds.entries()) {
    const stream = hash(hash(seed, step), example);
    for (let element = 0; element < elements; element += 1) {
      mask[row * elements + element] = hash(stream, element) < limit ? 0 : kept;
    }
  }
  return mask;
}

/** Two words into one: the finalizer of MurmurHash3 over their mix. */
function hash(a: number, b: number): number {
  let h = Math.imul(a ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
