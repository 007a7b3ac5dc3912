// Shape inference: a graph whose shapes or weights are not those that its operations make is refused before anything is
// compiled. Each operation's rule stands with its compiler.

import type { LayerNode, Shape } from '../layerGraph.ts';
import { NetInvalidError } from '../netErrors.ts';
import { layerCompilerOf } from './layerCompilers.ts';
import { text, withoutOnes, type Problem } from './shapeRule.ts';

/** @throws NetInvalidError when the node's shape or weights are not what its operation makes of its inputs. */
export function checkNode(node: LayerNode, inputs: readonly Shape[]): void {
  const fail = (problem: Problem): never => {
    throw new NetInvalidError(`Layer "${node.name}" (${node.operation.type}) ${problem}.`, {
      field: node.name,
    });
  };
  const takesInput = node.operation.type !== 'input';
  if (takesInput === (inputs.length === 0)) fail(takesInput ? 'has no input' : 'has inputs of its own');
  const { parts } = node;
  const ofPart = (shape: Shape): Shape => {
    if (parts === undefined) return shape;
    if (shape[0] !== parts) fail(`sees ${parts} parts of ${text(shape)}`);
    return shape.slice(1);
  };
  const shape = ofPart(node.shape);
  const inferred = layerCompilerOf(node.operation.type).shape(node.operation, inputs.map(ofPart), shape);
  if (typeof inferred === 'string') return fail(inferred);
  if (text(inferred.shape) !== text(shape)) {
    fail(`gives ${text(inferred.shape)}, but the graph says ${text(shape)}`);
  }
  if (inferred.weights.length !== node.weights.length) {
    fail(`has ${node.weights.length} weights, expected ${inferred.weights.length}`);
  }
  inferred.weights.forEach((expected, k) => {
    const weight = node.weights[k];
    // Kernels of sequences leave out the width of 1.
    const isAlike = weight !== undefined && text(withoutOnes(expected)) === text(withoutOnes(weight.shape));
    if (weight === undefined || isAlike) return;
    fail(`needs the weight "${weight.name}" with the shape ${text(expected)}, not ${text(weight.shape)}`);
  });
  return undefined;
}
