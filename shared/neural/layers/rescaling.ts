// Values times a number, plus a number.

import { single, type LayerReader } from '../graph/layerReader.ts';

export const rescaling: LayerReader = {
  classNames: ['Rescaling'],
  inputs: 'one',
  gives: 'rescaled',
  takesParts: true,
  read(config, inputs, graph) {
    const input = single(inputs);
    const [scale, offset] = [config.number('scale'), config.number('offset', 0)];
    return graph.add(config, { type: 'rescale', scale, offset }, [input], graph.shape(input));
  },
};
