// Convolution over images, with any stride, padding, dilation and groups.

import { glorotNormal } from '../graph/initializer.ts';
import { single, type LayerReader } from '../graph/layerReader.ts';
import { biasOf } from './biasOf.ts';
import { NeuralModelError } from '../graph/modelErrors.ts';
import { placeWindow } from './windows.ts';

export const conv2d: LayerReader = {
  classNames: ['Conv2D', 'Convolution2D'],
  inputs: 'one',
  gives: 'activated',
  takesParts: true,
  read(config, inputs, graph) {
    config.refuseSet('activity_regularizer', 'kernel_constraint', 'bias_constraint');
    const input = single(inputs);
    const filters = config.count('filters');
    const kernelSize = config.pair('kernel_size');
    const groups = config.count('groups', 1);
    const useBias = config.flag('use_bias', true);
    const { strides, dilations, padding, output, channels } = placeWindow(
      config,
      graph,
      input,
      kernelSize,
      [1, 1],
    );
    if (channels % groups !== 0 || filters % groups !== 0) {
      throw new NeuralModelError(
        `Conv2D "${config.name}": ${groups} groups do not divide ${channels} channels and ${filters} filters`,
        { field: config.name },
      );
    }
    const node = graph.add(
      config,
      { type: 'conv2d', filters, kernelSize, strides, dilations, padding, groups, useBias },
      [input],
      [...output, filters],
      [
        {
          name: 'kernel',
          shape: [...kernelSize, channels / groups, filters],
          initializer: config.initializer('kernel_initializer', glorotNormal),
          penalty: config.penalty('kernel_regularizer'),
        },
        ...biasOf(config, useBias, filters),
      ],
    );
    return graph.activate(config, node, config.activation());
  },
};
