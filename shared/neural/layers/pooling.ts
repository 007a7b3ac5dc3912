// Maxima and averages over windows and whole images.

import type { LayerConfig } from '../graph/layerConfig.ts';
import { single, type LayerReader } from '../graph/layerReader.ts';
import type { GraphBuilder } from '../graph/graphBuilder.ts';
import { placeWindow } from './windows.ts';

function pool(classNames: readonly string[], type: 'averagePool2d' | 'maxPool2d'): LayerReader {
  return {
    classNames,
    inputs: 'one',
    gives: 'values',
    takesParts: true,
    read(config, inputs, graph) {
      const input = single(inputs);
      const poolSize = config.pair('pool_size', [2, 2]);
      const { strides, padding, output, channels } = placeWindow(config, graph, input, poolSize, poolSize);
      return graph.add(config, { type, poolSize, strides, padding }, [input], [...output, channels]);
    },
  };
}

function globalPool(
  classNames: readonly string[],
  type: 'globalAveragePool2d' | 'globalMaxPool2d',
): LayerReader {
  return {
    classNames,
    inputs: 'one',
    gives: 'values',
    takesParts: true,
    read(config: LayerConfig, inputs: readonly number[], graph: GraphBuilder) {
      config.requireChannelsLast();
      if (config.flag('keepdims', false)) throw config.unsupported('it keeps the dimensions');
      const input = single(inputs);
      const { channels } = graph.image(config, input);
      return graph.add(config, { type }, [input], [channels]);
    },
  };
}

export const maxPool2d = pool(['MaxPooling2D', 'MaxPool2D'], 'maxPool2d');
export const averagePool2d = pool(['AveragePooling2D', 'AvgPool2D'], 'averagePool2d');
export const globalMaxPool2d = globalPool(['GlobalMaxPooling2D', 'GlobalMaxPool2D'], 'globalMaxPool2d');
export const globalAveragePool2d = globalPool(
  ['GlobalAveragePooling2D', 'GlobalAvgPool2D'],
  'globalAveragePool2d',
);
