// A convolution the other way round, which makes images larger (Dumoulin & Visin 2016, "transposed convolution").

import { glorotNormal } from '../graph/initializer.ts';
import { paddingOf } from '../graph/layerConfig.ts';
import type { Pair } from '../layerGraph.ts';
import { single, type LayerReader } from '../graph/layerReader.ts';
import { biasOf } from './biasOf.ts';

export const conv2dTranspose: LayerReader = {
  classNames: ['Conv2DTranspose', 'Convolution2DTranspose', 'Deconvolution2D'],
  inputs: 'one',
  gives: 'activated',
  takesParts: true,
  read(config, inputs, graph) {
    config.refuseSet('activity_regularizer', 'kernel_constraint', 'bias_constraint', 'output_padding');
    config.requireChannelsLast();
    const input = single(inputs);
    const { size, channels } = graph.image(config, input);
    const filters = config.count('filters');
    const kernelSize = config.pair('kernel_size');
    const strides = config.pair('strides', [1, 1]);
    if (config.pair('dilation_rate', [1, 1]).some((dilation) => dilation !== 1))
      throw config.unsupported('it is dilated');
    const kind = config.text('padding', ['valid', 'same'], 'valid');
    const useBias = config.flag('use_bias', true);
    const along = (k: 0 | 1): number => {
      const beyond = kind === 'valid' ? Math.max(kernelSize[k] - strides[k], 0) : 0;
      return size[k] * strides[k] + beyond;
    };
    const output: Pair = [along(0), along(1)];
    const padding = paddingOf(kind, output, kernelSize, strides);
    const node = graph.add(
      config,
      { type: 'conv2dTranspose', filters, kernelSize, strides, padding, useBias },
      [input],
      [...output, filters],
      [
        {
          name: 'kernel',
          shape: [...kernelSize, filters, channels],
          initializer: config.initializer('kernel_initializer', glorotNormal),
          penalty: config.penalty('kernel_regularizer'),
        },
        ...biasOf(config, useBias, filters),
      ],
    );
    return graph.activate(config, node, config.activation());
  },
};
