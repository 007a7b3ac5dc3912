// Normalisation by the statistics of the batch (Ioffe & Szegedy 2015), over all axes but the last.

import { ones, zeros } from '../graph/initializer.ts';
import { single, type LayerReader } from '../graph/layerReader.ts';
import { lastOf } from './lastOf.ts';

export const batchNormalization: LayerReader = {
  classNames: ['BatchNormalization'],
  inputs: 'one',
  gives: 'anew',
  takesParts: false,
  read(config, inputs, graph) {
    config.refuseSet('beta_constraint', 'gamma_constraint', 'renorm', 'virtual_batch_size');
    // As Keras has it from version 2 on: frozen, or called with training=False.
    const frozen = !config.flag('trainable', true) || graph.infers;
    const input = single(inputs);
    const shape = graph.shape(input);
    const axis = config.raw('axis') ?? -1;
    const at = Array.isArray(axis) ? axis[0] : axis;
    if (at !== -1 && at !== shape.length) throw config.unsupported(`its axis is ${JSON.stringify(axis)}`);
    // The moving statistics would have to move once a call.
    if (!frozen && graph.hasWeight(config, 'moving_mean'))
      throw config.unsupported('it is called more than once');
    const channels = [lastOf(config, shape)];
    const center = config.flag('center', true);
    const scale = config.flag('scale', true);
    return graph.add(
      config,
      {
        type: 'batchNormalization',
        momentum: config.number('momentum', 0.99),
        epsilon: config.number('epsilon', 1e-3),
        center,
        scale,
        ...(frozen && { frozen }),
      },
      [input],
      shape,
      [
        ...(scale
          ? [
              {
                name: 'gamma',
                shape: channels,
                initializer: config.initializer('gamma_initializer', ones),
                penalty: config.penalty('gamma_regularizer'),
              },
            ]
          : []),
        ...(center
          ? [
              {
                name: 'beta',
                shape: channels,
                initializer: config.initializer('beta_initializer', zeros),
                penalty: config.penalty('beta_regularizer'),
              },
            ]
          : []),
        {
          name: 'moving_mean',
          shape: channels,
          initializer: config.initializer('moving_mean_initializer', zeros),
          trainable: false,
        },
        {
          name: 'moving_variance',
          shape: channels,
          initializer: config.initializer('moving_variance_initializer', ones),
          trainable: false,
        },
      ],
    );
  },
};
