// Rows of a table by index.

import { single, type LayerReader } from '../graph/layerReader.ts';

export const embedding: LayerReader = {
  classNames: ['Embedding'],
  inputs: 'one',
  gives: 'anew',
  takesParts: false,
  read(config, inputs, graph) {
    config.refuseSet('activity_regularizer', 'embeddings_constraint');
    if (config.flag('mask_zero', false)) throw config.unsupported('it masks index 0');
    const input = single(inputs);
    const vocabulary = config.count('input_dim');
    const width = config.count('output_dim');
    return graph.add(
      config,
      { type: 'embedding', vocabulary, width },
      [input],
      [...graph.shape(input), width],
      [
        {
          name: 'embeddings',
          shape: [vocabulary, width],
          initializer: config.initializer('embeddings_initializer', {
            kind: 'uniform',
            least: -0.05,
            most: 0.05,
          }),
          penalty: config.penalty('embeddings_regularizer'),
        },
      ],
    );
  },
};
