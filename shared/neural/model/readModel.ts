// A tf.LayersModel's topology (Sequential or functional, nested models taken apart) as a LayerGraph.

import type { LayerGraph } from '../layerGraph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Initializer } from '../graph/initializer.ts';
import { readCalls, type LayerCall, type NetCalls } from './layerCalls.ts';
import { LayerConfig } from '../graph/layerConfig.ts';
import { layerReaders } from '../layers/layerReaders.ts';
import { NeuralModelError, UnsupportedLayer } from '../graph/modelErrors.ts';

/** What the compiled engine would need to know and does not. */
export interface UnsupportedPart {
  readonly layer: string;
  readonly className: string;
  readonly reason: string;
}

export type ReadModel =
  | {
      readonly kind: 'compiled';
      readonly graph: LayerGraph;
      /** By the weight's name. */
      readonly initializers: ReadonlyMap<string, Initializer>;
    }
  | { readonly kind: 'unsupported'; readonly part: UnsupportedPart };

/** What a graph is for: what matters in training alone is no hindrance to predictions. */
type GraphUse = 'predictions' | 'training';

/** Layers that do something in training alone. */
const trainingLayers: ReadonlySet<string> = new Set([
  'ActivityRegularization',
  'AlphaDropout',
  'Dropout',
  'GaussianDropout',
  'GaussianNoise',
  'SpatialDropout1D',
  'SpatialDropout2D',
]);

/**
 * @param topology what `model.toJSON(null, false)` gives, or the `modelTopology` of a model.json (Keras's included).
 * @throws NeuralModelError when it is no model at all, or has several outputs.
 */
export function readModel(topology: unknown, use: GraphUse = 'training'): ReadModel {
  return readGraph(readCalls(topology), use);
}

/** The same of calls that are read already. */
export function readGraph(net: NetCalls, use: GraphUse = 'training'): ReadModel {
  const [output, ...more] = net.outputs;
  if (more.length > 0) {
    throw new NeuralModelError(
      `the model (${net.className}) has ${net.outputs.length} outputs; expected one`,
    );
  }
  const graph = new GraphBuilder();
  try {
    /** The node of each call. */
    const nodes: number[] = [];
    for (const [at, call] of net.calls.entries()) {
      const layer = use === 'predictions' ? call.layer.forPredictions() : call.layer;
      const infers = call.infers || use === 'predictions';
      graph.layer = call.layer;
      nodes.push(readCall({ ...call, layer, infers }, nodes, graph, net.severalValued.has(at)));
    }
    indexInputs(graph);
    return {
      kind: 'compiled',
      graph: { nodes: graph.nodes, inputs: net.inputs.map((at) => nodes[at]!), output: nodes[output!]! },
      initializers: graph.initializers,
    };
  } catch (error) {
    if (!(error instanceof UnsupportedLayer)) throw error;
    const { layer, className, reason } = error;
    return { kind: 'unsupported', part: { layer, className, reason } };
  }
}

function readCall(
  { layer, inputs, isInput, infers }: LayerCall,
  nodes: readonly number[],
  graph: GraphBuilder,
  isSeveralValued: boolean,
): number {
  if (isInput) return addInput(layer, graph);
  const given = inputs.map((at) => nodes[at]!);
  const passes = layer.className === 'InputLayer' || (infers && trainingLayers.has(layer.className));
  if (passes && given[0] !== undefined) return given[0];
  const reader = layerReaders.get(layer.className);
  if (!reader) throw layer.unsupported('layers of this kind are not compiled');
  if (given.length === 0 || (reader.inputs === 'one' && given.length > 1) || isSeveralValued) {
    const wrong = isSeveralValued ? 'is asked for a second output' : `has ${given.length} inputs`;
    throw new NeuralModelError(
      `${layer.className} "${layer.name}" ${wrong}; expected ${isSeveralValued ? 'one' : reader.inputs}`,
      { field: layer.name },
    );
  }
  graph.infers = infers;
  return reader.read(layer, given, graph);
}

function addInput(config: LayerConfig, graph: GraphBuilder): number {
  const shape = inputShapeOf(config);
  const dtype = config.raw('dtype') === 'int32' ? 'int32' : 'float32';
  const named = new LayerConfig('InputLayer', { name: inputNameOf(config) });
  return graph.add(named, { type: 'input', dtype }, [], shape);
}

/** @param config of an input layer, or of a Sequential model's first layer. */
export function inputNameOf({ className, name }: LayerConfig): string {
  return className === 'InputLayer' ? name : `${name}_input`;
}

/** Shapes of the model's inputs, null where a dimension beside the batch is open. @throws NeuralModelError */
export function openInputShapes({ calls, inputs }: NetCalls): readonly (readonly (number | null)[])[] {
  return inputs.map((at) => {
    const { layer } = calls[at]!;
    const shape = layer.raw('batch_input_shape') ?? layer.raw('batch_shape');
    if (!Array.isArray(shape)) return [];
    return shape.slice(1).map((size: unknown) => (typeof size === 'number' ? size : null));
  });
}

function inputShapeOf(config: LayerConfig): number[] {
  // Embeddings say the length of their input apart from its batch.
  const length = config.raw('input_length');
  const shape =
    config.batchShape('batch_input_shape') ??
    config.batchShape('batch_shape') ??
    (typeof length === 'number' ? [config.count('input_length')] : undefined);
  if (shape) return shape;
  if (config.className !== 'InputLayer' && !layerReaders.has(config.className))
    throw config.unsupported('layers of this kind are not compiled');
  throw new NeuralModelError(
    `layer "${config.name}" is the first and has no input shape; give inputShape to the first layer`,
    { field: config.name },
  );
}

/** tfjs feeds embeddings from float inputs; here indices are whole numbers from the start. */
function indexInputs({ nodes }: GraphBuilder): void {
  for (const { operation, inputs } of nodes) {
    const at = inputs[0];
    const source = at === undefined ? undefined : nodes[at];
    if (operation.type !== 'embedding' || at === undefined || source?.operation.type !== 'input') continue;
    nodes[at] = { ...source, operation: { type: 'input', dtype: 'int32' } };
  }
}
