// Zeros around an image.

import { single, type LayerReader } from '../graph/layerReader.ts';
import { readAround } from './around.ts';

export const zeroPadding2d: LayerReader = {
  classNames: ['ZeroPadding2D'],
  inputs: 'one',
  gives: 'values',
  takesParts: true,
  read(config, inputs, graph) {
    config.requireChannelsLast();
    const input = single(inputs);
    const { size, channels } = graph.image(config, input);
    const given = config.raw('padding') ?? 1;
    const padding = readAround(given);
    if (!padding) return config.refuse('padding', given, 'a number, two, or two pairs');
    const { top, bottom, left, right } = padding;
    const shape = [size[0] + top + bottom, size[1] + left + right, channels];
    return graph.add(config, { type: 'zeroPad2d', padding }, [input], shape);
  },
};
