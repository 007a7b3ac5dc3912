// Fully connected, along the last axis.

import { glorotNormal } from '../graph/initializer.ts';
import { single, type LayerReader } from '../graph/layerReader.ts';
import { biasOf } from './biasOf.ts';
import { lastOf } from './lastOf.ts';

export const dense: LayerReader = {
  classNames: ['Dense'],
  inputs: 'one',
  gives: 'activated',
  takesParts: true,
  read(config, inputs, graph) {
    config.refuseSet('activity_regularizer', 'kernel_constraint', 'bias_constraint');
    const input = single(inputs);
    const shape = graph.shape(input);
    const units = config.count('units');
    const useBias = config.flag('use_bias', true);
    const node = graph.add(
      config,
      { type: 'dense', units, useBias },
      [input],
      [...shape.slice(0, -1), units],
      [
        {
          name: 'kernel',
          shape: [lastOf(config, shape), units],
          initializer: config.initializer('kernel_initializer', glorotNormal),
          penalty: config.penalty('kernel_regularizer'),
        },
        ...biasOf(config, useBias, units),
      ],
    );
    return graph.activate(config, node, config.activation());
  },
};
