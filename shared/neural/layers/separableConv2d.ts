// A depthwise convolution, then one of 1×1 over its channels.

import { glorotNormal } from '../graph/initializer.ts';
import { single, type LayerReader } from '../graph/layerReader.ts';
import { biasOf } from './biasOf.ts';
import { placeWindow } from './windows.ts';

export const separableConv2d: LayerReader = {
  classNames: ['SeparableConv2D', 'SeparableConvolution2D'],
  inputs: 'one',
  gives: 'activated',
  takesParts: true,
  read(config, inputs, graph) {
    config.refuseSet('activity_regularizer', 'depthwise_constraint', 'pointwise_constraint');
    config.refuseSet('bias_constraint');
    const input = single(inputs);
    const filters = config.count('filters');
    const kernelSize = config.pair('kernel_size');
    const multiplier = config.count('depth_multiplier', 1);
    const useBias = config.flag('use_bias', true);
    const { strides, dilations, padding, output, channels } = placeWindow(
      config,
      graph,
      input,
      kernelSize,
      [1, 1],
    );
    const middle = channels * multiplier;
    const depthwise = graph.add(
      config,
      { type: 'depthwiseConv2d', multiplier, kernelSize, strides, dilations, padding, useBias: false },
      [input],
      [...output, middle],
      [
        {
          name: 'depthwise_kernel',
          shape: [...kernelSize, channels, multiplier],
          initializer: config.initializer('depthwise_initializer', glorotNormal),
          penalty: config.penalty('depthwise_regularizer'),
        },
      ],
    );
    const node = graph.add(
      config,
      {
        type: 'conv2d',
        filters,
        kernelSize: [1, 1],
        strides: [1, 1],
        dilations: [1, 1],
        padding: { top: 0, bottom: 0, left: 0, right: 0 },
        groups: 1,
        useBias,
      },
      [depthwise],
      [...output, filters],
      [
        {
          name: 'pointwise_kernel',
          shape: [1, 1, middle, filters],
          initializer: config.initializer('pointwise_initializer', glorotNormal),
          penalty: config.penalty('pointwise_regularizer'),
        },
        ...biasOf(config, useBias, filters),
      ],
    );
    return graph.activate(config, node, config.activation());
  },
};
