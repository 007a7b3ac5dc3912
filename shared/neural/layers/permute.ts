// The same values with their axes in another order.

import { single, type LayerReader } from '../graph/layerReader.ts';

export const permute: LayerReader = {
  classNames: ['Permute'],
  inputs: 'one',
  gives: 'values',
  takesParts: true,
  read(config, inputs, graph) {
    const input = single(inputs);
    const from = graph.shape(input);
    const dims = config.raw('dims');
    const numbers: readonly unknown[] = Array.isArray(dims) ? dims : [];
    // Counted with the batch.
    const axes = numbers.map((axis) => Number(axis) - 1);
    const isOrder = from.every((_, axis) => axes.includes(axis));
    if (axes.length !== from.length || !isOrder)
      return config.refuse('dims', dims, `the numbers 1 to ${from.length} in any order`);
    return graph.add(
      config,
      { type: 'permute', axes },
      [input],
      axes.map((axis) => from[axis]!),
    );
  },
};
