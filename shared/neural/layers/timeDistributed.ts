// A layer that sees each part of a sequence by itself. Only layers that compute the same in training and in inference: with
// the others Keras and tfjs do different things.

import type { LayerReader } from '../graph/layerReader.ts';
import { single } from '../graph/layerReader.ts';
import { NeuralModelError } from '../graph/modelErrors.ts';

/** @param readerOf the reader of the layer inside, by its class. */
export function timeDistributed(readerOf: (className: string) => LayerReader | undefined): LayerReader {
  return {
    classNames: ['TimeDistributed'],
    inputs: 'one',
    gives: 'wrapped',
    takesParts: false,
    read(config, inputs, graph) {
      const inner = config.wrapped('layer');
      if (!inner) return config.refuse('layer', config.raw('layer'), 'a layer');
      const reader = readerOf(inner.className);
      if (reader?.takesParts !== true)
        throw config.unsupported(`a ${inner.className} for each part is not compiled`);
      const [parts, ...part] = graph.shape(single(inputs));
      if (parts !== undefined && part.length > 0)
        return graph.ofParts(parts, () => reader.read(inner, inputs, graph));
      throw new NeuralModelError(
        `TimeDistributed "${config.name}" takes inputs of at least two dimensions beside the batch`,
        { field: config.name },
      );
    },
  };
}
