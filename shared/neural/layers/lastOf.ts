// The last dimension of a layer's input.

import type { Shape } from '../layerGraph.ts';
import type { LayerConfig } from '../graph/layerConfig.ts';
import { NeuralModelError } from '../graph/modelErrors.ts';

export function lastOf({ className, name }: LayerConfig, shape: Shape): number {
  const last = shape.at(-1);
  if (last !== undefined) return last;
  throw new NeuralModelError(`${className} "${name}" takes at least one dimension beside the batch`, {
    field: name,
  });
}
