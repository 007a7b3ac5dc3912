// Several inputs become one.

import type { Pair, Shape } from '../layerGraph.ts';
import type { GraphBuilder } from '../graph/graphBuilder.ts';
import type { LayerConfig } from '../graph/layerConfig.ts';
import type { LayerReader, OutputRule } from '../graph/layerReader.ts';
import { NeuralModelError } from '../graph/modelErrors.ts';

function elementwise(
  classNames: readonly string[],
  type: 'add' | 'multiply',
  gives: OutputRule,
  finish: (config: LayerConfig, node: number, inputs: number, graph: GraphBuilder) => number = (_, node) =>
    node,
): LayerReader {
  return {
    classNames,
    inputs: 'many',
    gives,
    takesParts: false,
    read(config, inputs, graph) {
      const shape = commonShape(config, inputs, graph);
      const alike = inputs.map((input) => spread(config, input, shape, graph));
      const [first] = alike;
      // A merge of one is that one.
      const node = alike.length === 1 ? first! : graph.add(config, { type }, alike, shape);
      return finish(config, node, alike.length, graph);
    },
  };
}

/** Each dimension is the largest of the inputs', where the others are as large or 1. */
function commonShape(config: LayerConfig, inputs: readonly number[], graph: GraphBuilder): Shape {
  const shapes = inputs.map((input) => graph.shape(input));
  const [first = []] = shapes;
  const shape = first.map((_, axis) => Math.max(...shapes.map((other) => other[axis] ?? 0)));
  const other = shapes.find((one) => one.length !== shape.length || !fits(one, shape));
  if (!other) return shape;
  throw config.unsupported(`it broadcasts [${other.join(', ')}] to [${shape.join(', ')}]`);
}

/** Whether values can be repeated along the height and width of an image, as the gates of squeeze-and-excitation are. */
function fits(from: Shape, to: Shape): boolean {
  return from.every((size, axis) => size === to[axis] || (size === 1 && to.length === 3 && axis < 2));
}

function spread(config: LayerConfig, input: number, shape: Shape, graph: GraphBuilder): number {
  const from = graph.shape(input);
  if (from.join() === shape.join()) return input;
  const size: Pair = [shape[0]! / from[0]!, shape[1]! / from[1]!];
  return graph.add(config, { type: 'upSample2d', size, interpolation: 'nearest' }, [input], shape);
}

export const add = elementwise(['Add'], 'add', 'sum');
export const multiply = elementwise(['Multiply'], 'multiply', 'product');
export const average = elementwise(['Average'], 'add', 'values', (config, node, inputs, graph) =>
  graph.add(config, { type: 'rescale', scale: 1 / inputs, offset: 0 }, [node], graph.shape(node)),
);

export const concatenate: LayerReader = {
  classNames: ['Concatenate'],
  inputs: 'many',
  gives: 'values',
  takesParts: false,
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
