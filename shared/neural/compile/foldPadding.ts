// A convolution pads by itself: zeros that a layer of their own puts around an image before one need not be written.
// (Models that follow PyTorch pad both sides alike, which "same" does not where the stride is 2.)

import type { LayerGraph, LayerNode, Padding } from '../layerGraph.ts';

function together(a: Padding, b: Padding): Padding {
  return { top: a.top + b.top, bottom: a.bottom + b.bottom, left: a.left + b.left, right: a.right + b.right };
}

/** The same net. A padding that nothing else needs is then not computed. */
export function foldPadding(graph: LayerGraph): LayerGraph {
  const fold = (node: LayerNode): LayerNode => {
    const { operation, inputs } = node;
    const before = graph.nodes[inputs[0] ?? -1];
    if (operation.type !== 'conv2d' && operation.type !== 'depthwiseConv2d') return node;
    if (before?.operation.type !== 'zeroPad2d' || before.parts !== node.parts) return node;
    const padding = together(before.operation.padding, operation.padding);
    return { ...node, operation: { ...operation, padding }, inputs: before.inputs };
  };
  return { ...graph, nodes: graph.nodes.map(fold) };
}
