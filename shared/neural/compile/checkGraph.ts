// Whether a graph is one: nodes in topological order, every shape as it follows from what comes before.

import type { LayerGraph, LayerNode } from '../layerGraph.ts';
import { NetInvalidError } from '../netErrors.ts';
import { checkNode } from './nodeShapes.ts';

/** Where int32 indices may go: straight into embeddings, perhaps reshaped. */
function carriesIndices(graph: LayerGraph): boolean[] {
  const indices: boolean[] = [];
  graph.nodes.forEach(({ operation, inputs }, i) => {
    const fromIndices = operation.type === 'reshape' && indices[inputs[0] ?? -1] === true;
    indices[i] = (operation.type === 'input' && operation.dtype === 'int32') || fromIndices;
  });
  return indices;
}

/** @throws NetInvalidError naming the layer. */
export function checkGraph(graph: LayerGraph): void {
  const indices = carriesIndices(graph);
  graph.nodes.forEach((node, i) => {
    const inputs = node.inputs.map((place) => {
      const input: LayerNode | undefined = place < i ? graph.nodes[place] : undefined;
      if (input === undefined) {
        throw new NetInvalidError(`Layer "${node.name}": its input ${place} does not come before it.`, {
          field: node.name,
        });
      }
      const wantsIndices = node.operation.type === 'embedding';
      if (indices[place] === true ? !wantsIndices && node.operation.type !== 'reshape' : wantsIndices) {
        throw new NetInvalidError(
          `Layer "${node.name}" (${node.operation.type}) ${wantsIndices ? 'needs int32 indices' : 'can not compute with int32 indices'}, as "${input.name}" gives ${wantsIndices ? 'numbers' : 'them'}.`,
          { field: node.name },
        );
      }
      return input.shape;
    });
    checkNode(node, inputs);
  });
  if (graph.nodes[graph.output] === undefined || indices[graph.output] === true) {
    throw new NetInvalidError('The net has no output of numbers.');
  }
  for (const place of graph.inputs) {
    if (graph.nodes[place]?.operation.type !== 'input') {
      throw new NetInvalidError(`Node ${place} is listed as an input of the net and is none.`);
    }
  }
}
