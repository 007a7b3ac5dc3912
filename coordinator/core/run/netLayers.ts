// The layers of a run's net: what comes out of each, its parameters and memory, and its time in a step that was profiled.

import { optimizerSlots } from '../../../kernels/neural/optimizer.ts';
import type { LayersAnswer } from '../../../shared/api/runModel.ts';
import { elements } from '../../../shared/neural/graph/graphBuilder.ts';
import type { LayerNode } from '../../../shared/neural/layerGraph.ts';
import { readModel } from '../../../shared/neural/model/readModel.ts';
import type { NeuralSpec } from '../../../shared/neural/run/neuralSpec.ts';
import type { StepProfile } from '../../../shared/neural/run/stepProfile.ts';

const FLOAT_BYTES = 4;
/** Of a net with more the first ones are told of. */
const MAX_LAYERS = 2_000;

/**
 * In forward order. Operations that a layer is taken apart into count as one.
 * @param profile of the run's last step, where there is one.
 */
export function netLayers(
  { topology, optimizer, microbatchSize }: Pick<NeuralSpec, 'microbatchSize' | 'optimizer' | 'topology'>,
  profile?: StepProfile,
): LayersAnswer {
  const read = readModel(topology);
  if (read.kind === 'unsupported') {
    const { layer, className, reason } = read.part;
    return {
      layers: [],
      parameters: 0,
      note: `tfjs trains this net, for the layer "${layer}" (${className}): ${reason}. Its shapes are known to tfjs alone.`,
    };
  }
  const layers = new Map<string, LayerNode[]>();
  for (const node of read.graph.nodes) {
    const nodes = layers.get(node.name);
    if (nodes) nodes.push(node);
    else layers.set(node.name, [node]);
  }
  const times = profile && timesOf(profile);
  const copies = 2 + optimizerSlots(optimizer);
  const told = [...layers].map(([name, nodes]) => {
    const weights = [
      ...new Map(nodes.flatMap((node) => node.weights.map((weight) => [weight.name, weight]))).values(),
    ];
    const count = (some: typeof weights): number => some.reduce((sum, { shape }) => sum + elements(shape), 0);
    const parameters = count(weights);
    const trainable = count(weights.filter((weight) => weight.trainable));
    const shape = nodes.at(-1)?.shape ?? [];
    const time = times?.get(name);
    return {
      name,
      type: [...new Set(nodes.map(({ operation }) => operation.type))].join(', '),
      shape: [...shape],
      parameters,
      trainable,
      stateBytes: FLOAT_BYTES * (copies * trainable + (parameters - trainable)),
      outputBytes: FLOAT_BYTES * elements(shape) * microbatchSize,
      ...(time && { forwardMs: time.forward / 1e6, backwardMs: time.backward / 1e6 }),
    };
  });
  return {
    layers: told.slice(0, MAX_LAYERS),
    parameters: told.reduce((sum, { parameters }) => sum + parameters, 0),
    ...(told.length > MAX_LAYERS && { note: `The first ${MAX_LAYERS} of ${told.length} layers.` }),
    ...(profile && times && times.size > 0 && { profiledStep: profile.step }),
  };
}

/** Nanoseconds by layer. */
function timesOf({ ops }: StepProfile): Map<string, { forward: number; backward: number }> {
  const times = new Map<string, { forward: number; backward: number }>();
  for (const { layer, phase, startNs, endNs } of ops) {
    if (phase === 'update') continue;
    let time = times.get(layer);
    if (!time) times.set(layer, (time = { forward: 0, backward: 0 }));
    time[phase] += endNs - startNs;
  }
  return times;
}
