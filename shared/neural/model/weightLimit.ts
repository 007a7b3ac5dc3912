// Bounds what tfjs takes for the first weights of a model that it builds: it fills them with numbers before anybody could
// compare them with those that the model comes with, and a config of a few bytes can ask for any number of them.

import type * as tfjs from '@tensorflow/tfjs';
import { NeuralModelError } from '../graph/modelErrors.ts';
import type { Shape } from '../layerGraph.ts';

type Tf = typeof tfjs;
type AddWeight = (this: unknown, name: string, shape: Shape, ...rest: readonly unknown[]) => unknown;

/** 1 GiB of parameters: of a model that comes without weights. */
export const MOST_FIRST_WEIGHTS = 2 ** 28;

/**
 * Every layer asks for its weights by this method of its base class, with their shape, before they are made.
 * @param build makes one model; no other should be made by this tfjs meanwhile.
 * @param most numbers in all weights together.
 * @param whose the most is, for the message, e.g. "its manifest names".
 * @throws NeuralModelError from within `build`, naming the layer.
 */
export async function withWeightLimit<T>(
  tf: Tf,
  { most, whose }: { readonly most: number; readonly whose: string },
  build: () => Promise<T>,
): Promise<T> {
  const layers = tf.layers.Layer.prototype as unknown as { addWeight: AddWeight };
  const original = layers.addWeight;
  let sum = 0;
  layers.addWeight = function addWithinLimit(name, shape, ...rest) {
    sum += shape.reduce((product, size) => product * size, 1);
    // Not a number where a shape has none.
    if (!(sum <= most)) {
      const layer = String((this as { readonly name?: unknown }).name);
      throw new NeuralModelError(
        `the weights of the model are more than the ${most} numbers that ${whose}: layer "${layer}" asks for a ${name} of [${shape.join(', ')}]`,
        { field: layer },
      );
    }
    return original.call(this, name, shape, ...rest);
  };
  try {
    return await build();
  } finally {
    layers.addWeight = original;
  }
}
