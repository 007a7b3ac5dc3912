// The bias that dense layers and convolutions may have, as Keras names its settings.

import type { NewWeight } from '../graph/graphBuilder.ts';
import { zeros } from '../graph/initializer.ts';
import type { LayerConfig } from '../graph/layerConfig.ts';

/** One weight of `length`, or none. */
export function biasOf(config: LayerConfig, useBias: boolean, length: number): NewWeight[] {
  if (!useBias) return [];
  return [
    {
      name: 'bias',
      shape: [length],
      initializer: config.initializer('bias_initializer', zeros),
      penalty: config.penalty('bias_regularizer'),
    },
  ];
}
