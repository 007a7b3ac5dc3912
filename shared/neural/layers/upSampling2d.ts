// Larger images by repetition or interpolation.

import { single, type LayerReader } from '../graph/layerReader.ts';

export const upSampling2d: LayerReader = {
  classNames: ['UpSampling2D'],
  inputs: 'one',
  gives: 'values',
  takesParts: true,
  read(config, inputs, graph) {
    config.requireChannelsLast();
    const input = single(inputs);
    const { size: from, channels } = graph.image(config, input);
    const size = config.pair('size', [2, 2]);
    const interpolation = config.text('interpolation', ['nearest', 'bilinear'], 'nearest');
    const shape = [from[0] * size[0], from[1] * size[1], channels];
    return graph.add(config, { type: 'upSample2d', size, interpolation }, [input], shape);
  },
};
