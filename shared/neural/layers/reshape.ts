// The same values in another shape.

import { elements } from '../graph/graphBuilder.ts';
import { single, type LayerReader } from '../graph/layerReader.ts';
import { NeuralModelError } from '../graph/modelErrors.ts';

export const flatten: LayerReader = {
  classNames: ['Flatten'],
  inputs: 'one',
  gives: 'values',
  takesParts: true,
  read(config, inputs, graph) {
    config.requireChannelsLast();
    const input = single(inputs);
    return graph.add(config, { type: 'reshape' }, [input], [elements(graph.shape(input))]);
  },
};

export const reshape: LayerReader = {
  classNames: ['Reshape'],
  inputs: 'one',
  gives: 'values',
  takesParts: true,
  read(config, inputs, graph) {
    const input = single(inputs);
    const from = graph.shape(input);
    const target = config.raw('target_shape');
    if (!Array.isArray(target)) return config.refuse('target_shape', target, 'a list of numbers');
    // One dimension may be left open: -1, or null in tfjs.
    const open = (dimension: unknown): boolean => dimension === -1 || dimension === null;
    const rest = target.filter((dimension) => !open(dimension)).map(Number);
    const missing = elements(from) / elements(rest);
    const shape = target.map((dimension) => (open(dimension) ? missing : Number(dimension)));
    const fits = shape.every((dimension) => Number.isInteger(dimension) && dimension >= 1);
    if (!fits || elements(shape) !== elements(from) || rest.length < target.length - 1) {
      throw new NeuralModelError(
        `Reshape "${config.name}": [${from.join(', ')}] can not become [${target.join(', ')}]`,
        { field: config.name },
      );
    }
    return graph.add(config, { type: 'reshape' }, [input], shape);
  },
};
