// Values left out at random while training (Srivastava et al. 2014).

import { single, type LayerReader } from '../graph/layerReader.ts';

export const dropout: LayerReader = {
  classNames: ['Dropout'],
  inputs: 'one',
  gives: 'values',
  takesParts: false,
  read(config, inputs, graph) {
    config.refuseSet('noise_shape');
    const rate = config.number('rate');
    if (rate < 0 || rate >= 1) return config.refuse('rate', rate, 'a number from 0 and below 1');
    const input = single(inputs);
    if (graph.infers) return input;
    return graph.add(config, { type: 'dropout', rate }, [input], graph.shape(input));
  },
};
