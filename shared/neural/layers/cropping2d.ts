// Rows and columns taken away from around an image.

import { single, type LayerReader } from '../graph/layerReader.ts';
import { NeuralModelError } from '../graph/modelErrors.ts';
import { readAround } from './around.ts';

export const cropping2d: LayerReader = {
  classNames: ['Cropping2D'],
  inputs: 'one',
  gives: 'values',
  takesParts: true,
  read(config, inputs, graph) {
    config.requireChannelsLast();
    const input = single(inputs);
    const { size, channels } = graph.image(config, input);
    const given = config.raw('cropping') ?? 0;
    const cropping = readAround(given);
    if (!cropping) return config.refuse('cropping', given, 'a number, two, or two pairs');
    const { top, bottom, left, right } = cropping;
    const shape = [size[0] - top - bottom, size[1] - left - right, channels];
    if (shape[0]! >= 1 && shape[1]! >= 1)
      return graph.add(config, { type: 'crop2d', cropping }, [input], shape);
    throw new NeuralModelError(
      `Cropping2D "${config.name}" leaves nothing of an image of ${size.join('×')}`,
      { field: config.name },
    );
  },
};
