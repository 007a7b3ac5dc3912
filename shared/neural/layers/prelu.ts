// A leaky relu whose slope is learned (He et al. 2015).

import { zeros } from '../graph/initializer.ts';
import { single, type LayerReader } from '../graph/layerReader.ts';

export const prelu: LayerReader = {
  classNames: ['PReLU'],
  inputs: 'one',
  gives: 'values',
  takesParts: true,
  read(config, inputs, graph) {
    config.refuseSet('activity_regularizer', 'alpha_constraint');
    const input = single(inputs);
    const from = graph.shape(input);
    const axes = config.raw('shared_axes') ?? [];
    const numbers: readonly unknown[] = Array.isArray(axes) ? axes : [axes];
    const isAxis = (axis: unknown): boolean =>
      Number.isInteger(axis) && Number(axis) >= 1 && Number(axis) <= from.length;
    if (!numbers.every(isAxis)) return config.refuse('shared_axes', axes, `numbers from 1 to ${from.length}`);
    const alpha = from.map((size, axis) => (numbers.includes(axis + 1) ? 1 : size));
    const own = alpha.findIndex((size) => size !== 1);
    const sharedAxes = own < 0 ? from.length : own;
    if (alpha.some((size, axis) => axis >= sharedAxes && size !== from[axis]))
      throw config.unsupported('it shares an axis behind one that it does not share');
    return graph.add(config, { type: 'prelu', sharedAxes }, [input], from, [
      {
        name: 'alpha',
        shape: alpha,
        initializer: config.initializer('alpha_initializer', zeros),
        penalty: config.penalty('alpha_regularizer'),
      },
    ]);
  },
};
