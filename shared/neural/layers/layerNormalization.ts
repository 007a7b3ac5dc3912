// Normalisation of each place by itself (Ba et al. 2016), over the last axis.

import { ones, zeros } from '../graph/initializer.ts';
import { single, type LayerReader } from '../graph/layerReader.ts';
import { lastOf } from './lastOf.ts';

export const layerNormalization: LayerReader = {
  classNames: ['LayerNormalization'],
  inputs: 'one',
  gives: 'anew',
  takesParts: true,
  read(config, inputs, graph) {
    config.refuseSet('beta_constraint', 'gamma_constraint');
    const input = single(inputs);
    const shape = graph.shape(input);
    const axis = config.raw('axis') ?? -1;
    const at = Array.isArray(axis) && axis.length === 1 ? axis[0] : axis;
    if (at !== -1 && at !== shape.length) throw config.unsupported(`its axis is ${JSON.stringify(axis)}`);
    const width = [lastOf(config, shape)];
    const center = config.flag('center', true);
    const scale = config.flag('scale', true);
    return graph.add(
      config,
      { type: 'layerNormalization', epsilon: config.number('epsilon', 1e-3), center, scale },
      [input],
      shape,
      [
        ...(scale
          ? [
              {
                name: 'gamma',
                shape: width,
                initializer: config.initializer('gamma_initializer', ones),
                penalty: config.penalty('gamma_regularizer'),
              },
            ]
          : []),
        ...(center
          ? [
              {
                name: 'beta',
                shape: width,
                initializer: config.initializer('beta_initializer', zeros),
                penalty: config.penalty('beta_regularizer'),
              },
            ]
          : []),
      ],
    );
  },
};
