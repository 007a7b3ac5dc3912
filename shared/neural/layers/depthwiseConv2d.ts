// Convolution of each channel by itself.

import { glorotNormal } from '../graph/initializer.ts';
import { single, type LayerReader } from '../graph/layerReader.ts';
import { biasOf } from './biasOf.ts';
import { placeWindow } from './windows.ts';

export const depthwiseConv2d: LayerReader = {
  classNames: ['DepthwiseConv2D'],
  inputs: 'one',
  gives: 'activated',
  takesParts: true,
  read(config, inputs, graph) {
    config.refuseSet('activity_regularizer', 'depthwise_constraint', 'bias_constraint');
    const input = single(inputs);
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
    const filters = channels * multiplier;
    const node = graph.add(
      config,
      { type: 'depthwiseConv2d', multiplier, kernelSize, strides, dilations, padding, useBias },
      [input],
      [...output, filters],
      [
        {
          name: 'depthwise_kernel',
          shape: [...kernelSize, channels, multiplier],
          initializer: config.initializer('depthwise_initializer', glorotNormal),
          penalty: config.penalty('depthwise_regularizer'),
        },
        ...biasOf(config, useBias, filters),
      ],
    );
    return graph.activate(config, node, config.activation());
  },
};
