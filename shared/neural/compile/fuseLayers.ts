// Which operations are computed together in one pass over memory: a convolution with the relu after it, batch
// normalization with the addition and the relu after it.

import type { LayerGraph, LayerNode } from '../layerGraph.ts';

export interface FusedLayer {
  /** The node whose operation this is. */
  readonly node: number;
  /** The node whose value comes out: the last of those that are fused. */
  readonly last: number;
  /** A node whose value is added before the activation. */
  readonly residual?: number;
  readonly activation?: 'relu' | 'relu6';
}

/** Nodes that the output depends on. */
function needed(graph: LayerGraph): Set<number> {
  const found = new Set<number>([graph.output]);
  // Nodes come after their inputs, so one way back sees all. Nets are deeper than call stacks.
  for (let place = graph.output; place >= 0; place -= 1) {
    if (found.has(place)) graph.nodes[place]?.inputs.forEach((input) => found.add(input));
  }
  // Inputs are given with every batch, used or not.
  graph.inputs.forEach((place) => found.add(place));
  return found;
}

/** The layers that the output needs, in the order in which they can be computed. */
export function fuseLayers(graph: LayerGraph): FusedLayer[] {
  const { nodes } = graph;
  const used = needed(graph);
  const consumers = new Map<number, number[]>();
  nodes.forEach((node, i) => {
    if (!used.has(i)) return;
    for (const input of node.inputs) consumers.set(input, [...(consumers.get(input) ?? []), i]);
  });
  /** The only node that sees this one's value. */
  const onlyConsumer = (place: number): number | undefined => {
    const all = consumers.get(place) ?? [];
    return all.length === 1 && place !== graph.output ? all[0] : undefined;
  };
  const activationOf = (
    place: number | undefined,
    names: readonly string[],
  ): 'relu' | 'relu6' | undefined => {
    const operation = place === undefined ? undefined : nodes[place]?.operation;
    if (operation?.type !== 'activation' || !names.includes(operation.function)) return undefined;
    return operation.function as 'relu' | 'relu6';
  };

  /** What is fused to the operation at `place`, and all nodes of it. */
  const fuse = (node: LayerNode, place: number): { layer: FusedLayer; members: number[] } | undefined => {
    const next = onlyConsumer(place);
    if (next === undefined) return undefined;
    const { type } = node.operation;
    const isBatchNorm = type === 'batchNormalization';
    if (!isBatchNorm && type !== 'conv2d' && type !== 'dense' && type !== 'depthwiseConv2d') return undefined;
    const activation = activationOf(next, isBatchNorm ? ['relu'] : ['relu', 'relu6']);
    if (activation !== undefined) return { layer: { node: place, last: next, activation }, members: [next] };
    const adding = nodes[next];
    const residual = adding?.inputs.find((input) => input !== place);
    if (!isBatchNorm || adding?.operation.type !== 'add') return undefined;
    if (adding.inputs.length !== 2 || residual === undefined) return undefined;
    const after = onlyConsumer(next);
    const relu = activationOf(after, ['relu']);
    return after === undefined || relu === undefined
      ? { layer: { node: place, last: next, residual }, members: [next] }
      : { layer: { node: place, last: after, residual, activation: relu }, members: [next, after] };
  };

  const absorbed = new Set<number>();
  const fused = new Map<number, FusedLayer>();
  // From the end, so that of two batch normalizations that are added the later takes the addition.
  for (let place = nodes.length - 1; place >= 0; place -= 1) {
    const node = nodes[place];
    const found = node !== undefined && used.has(place) ? fuse(node, place) : undefined;
    if (found === undefined || found.members.some((member) => absorbed.has(member))) continue;
    found.members.forEach((member) => absorbed.add(member));
    fused.set(place, found.layer);
  }
  return [...used]
    .filter((place) => !absorbed.has(place))
    .map((place) => fused.get(place) ?? { node: place, last: place })
    .sort((a, b) => a.last - b.last);
}
