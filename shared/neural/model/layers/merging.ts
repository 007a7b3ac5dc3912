// Several inputs become one.

import type { LayerReader } from '../layerReader.ts';
import { NeuralModelError } from '../modelErrors.ts';

function elementwise(className: string, type: 'add' | 'multiply'): LayerReader {
  return {
    classNames: [className],
    inputs: 'many',
    read(config, inputs, graph) {
      const shape = graph.shape(inputs[0]!);
      const other = inputs.find((input) => graph.shape(input).join() !== shape.join());
      if (other !== undefined) {
        throw config.unsupported(
          `it broadcasts [${graph.shape(other).join(', ')}] to [${shape.join(', ')}] or the reverse`,
        );
      }
      return graph.add(config, { type }, inputs, shape);
    },
  };
}

export const add = elementwise('Add', 'add');
export const multiply = elementwise('Multiply', 'multiply');

export const concatenate: LayerReader = {
  classNames: ['Concatenate'],
  inputs: 'many',
  read(config, inputs, graph) {
    const shapes = inputs.map((input) => graph.shape(input));
    const rank = shapes[0]!.length;
    const given = config.number('axis', -1);
    // Counted with the batch, or from behind.
    const axis = given < 0 ? rank + given : given - 1;
    const fits =
      axis >= 0 &&
      axis < rank &&
      shapes.every(
        (shape) => shape.length === rank && shape.every((size, at) => at === axis || size === shapes[0]![at]),
      );
    if (!fits) {
      throw new NeuralModelError(
        `Concatenate "${config.name}": shapes ${shapes.map((shape) => `[${shape.join(', ')}]`).join(', ')} do not fit along axis ${given}`,
        { field: config.name },
      );
    }
    const along = shapes.reduce((sum, shape) => sum + shape[axis]!, 0);
    const shape = shapes[0]!.map((size, at) => (at === axis ? along : size));
    return graph.add(config, { type: 'concatenate', axis }, inputs, shape);
  },
};
