// A tf.LayersModel's topology (Sequential or functional, nested models taken apart) as a LayerGraph.

import type { LayerGraph } from '../layerGraph.ts';
import { GraphBuilder } from './graphBuilder.ts';
import type { Initializer } from './initializer.ts';
import { LayerConfig } from './layerConfig.ts';
import { layerReaders } from './layerReaders.ts';
import { NeuralModelError, UnsupportedLayer } from './modelErrors.ts';

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

interface Written {
  readonly className: string;
  readonly config: unknown;
  readonly name: string | undefined;
  readonly calls: unknown;
}

const modelClasses: readonly string[] = ['Functional', 'Model', 'Sequential'];
const MAX_NESTING = 16;
const MAX_LAYERS = 20_000;

/**
 * @param topology what `model.toJSON(null, false)` gives, or the `modelTopology` of a model.json (Keras's included).
 * @throws NeuralModelError when it is no model at all.
 */
export function readModel(topology: unknown): ReadModel {
  const graph = new GraphBuilder();
  try {
    const { className, config } = unwrap(topology);
    const outputs = readNet(className, config, undefined, graph, 0);
    const [output, ...more] = outputs;
    if (output === undefined) throw new NeuralModelError('the model has no output');
    if (more.length > 0) throw new UnsupportedLayer('model', className, `it has ${outputs.length} outputs`);
    indexInputs(graph);
    const inputs = graph.nodes.flatMap((node, at) => (node.operation.type === 'input' ? [at] : []));
    return {
      kind: 'compiled',
      graph: { nodes: graph.nodes, inputs, output },
      initializers: graph.initializers,
    };
  } catch (error) {
    if (!(error instanceof UnsupportedLayer)) throw error;
    const { layer, className, reason } = error;
    return { kind: 'unsupported', part: { layer, className, reason } };
  }
}

/** Keras puts the model below `model_config`; some writers give text. */
function unwrap(topology: unknown): Written {
  let value: unknown = topology;
  if (typeof value === 'string') {
    try {
      value = JSON.parse(value);
    } catch (error) {
      throw new NeuralModelError(
        `the topology is no JSON: ${(error as Error).message}`,
        {},
        { cause: error },
      );
    }
  }
  const inner = isRecord(value) ? (value['model_config'] ?? value) : value;
  return written(inner, 'the topology');
}

function written(value: unknown, where: string): Written {
  if (!isRecord(value) || typeof value['class_name'] !== 'string') {
    throw new NeuralModelError(
      `${where} has no class_name; expected a model or layer as tfjs and Keras save it`,
    );
  }
  const { class_name: className, config, name, inbound_nodes: calls } = value;
  return { className, config, name: typeof name === 'string' ? name : undefined, calls };
}

/** @param given nodes to take for the inputs of a nested model; undefined makes input nodes. */
function readNet(
  className: string,
  config: unknown,
  given: readonly number[] | undefined,
  graph: GraphBuilder,
  depth: number,
): readonly number[] {
  if (depth > MAX_NESTING) throw new NeuralModelError(`models are nested more than ${MAX_NESTING} deep`);
  if (!modelClasses.includes(className)) {
    throw new NeuralModelError(`the topology is a ${className}; expected one of ${modelClasses.join(', ')}`);
  }
  // Sequential models of early versions are a bare list.
  const layers = Array.isArray(config) ? config : isRecord(config) ? config['layers'] : undefined;
  if (!Array.isArray(layers) || layers.length === 0 || layers.length > MAX_LAYERS) {
    throw new NeuralModelError(`${className}: layers is no list of 1 to ${MAX_LAYERS} layers`);
  }
  const list = layers.map((layer, at) => written(layer, `layer ${at}`));
  return className === 'Sequential'
    ? [readSequential(list, given, graph, depth)]
    : readFunctional(config as Record<string, unknown>, list, given, graph, depth);
}

function readSequential(
  layers: readonly Written[],
  given: readonly number[] | undefined,
  graph: GraphBuilder,
  depth: number,
): number {
  let node = given?.[0];
  for (const layer of layers) {
    if (layer.className === 'InputLayer') {
      node ??= addInput(layerConfig(layer), graph);
      continue;
    }
    if (node === undefined && !modelClasses.includes(layer.className)) {
      node = addInput(layerConfig(layer), graph);
    }
    [node] = callLayer(layer, node === undefined ? undefined : [node], graph, depth);
  }
  if (node === undefined) throw new NeuralModelError('a Sequential model has no layer that does something');
  return node;
}

function readFunctional(
  config: Readonly<Record<string, unknown>>,
  layers: readonly Written[],
  given: readonly number[] | undefined,
  graph: GraphBuilder,
  depth: number,
): readonly number[] {
  const byName = new Map(layers.map((layer) => [layerConfig(layer).name, layer]));
  const inputs = references(config['input_layers'], 'input_layers');
  const results = new Map<string, readonly number[]>();
  for (const [at, { layer }] of inputs.entries()) {
    const found = byName.get(layer);
    if (!found) throw new NeuralModelError(`input_layers names "${layer}", which is no layer of the model`);
    results.set(`${layer}/0`, [given?.[at] ?? addInput(layerConfig(found), graph)]);
  }
  // A stack rather than recursion: nets are deeper than call stacks.
  const resolve = (wanted: Reference): number => {
    const stack = [wanted];
    while (stack.length > 0) {
      const { layer: name, call } = stack.at(-1)!;
      const layer = byName.get(name);
      if (!layer) throw new NeuralModelError(`"${name}" is used and is no layer of the model`);
      const at = callIndex(layer, call);
      const key = `${name}/${at}`;
      if (results.has(key)) {
        stack.pop();
        continue;
      }
      const sources = callInputs(layer, at);
      const missing = sources.filter(
        (source) => !results.has(`${source.layer}/${callIndex(byName.get(source.layer), source.call)}`),
      );
      if (missing.length > 0) {
        if (stack.length > byName.size + 1) throw new NeuralModelError('the layers of the model form a loop');
        stack.push(...missing);
        continue;
      }
      const nodes = sources.map((source) => take(results, byName, source));
      results.set(key, callLayer(layer, nodes, graph, depth));
      stack.pop();
    }
    return take(results, byName, wanted);
  };
  return references(config['output_layers'], 'output_layers').map(resolve);
}

interface Reference {
  readonly layer: string;
  readonly call: number;
  readonly output: number;
}

function take(
  results: ReadonlyMap<string, readonly number[]>,
  byName: ReadonlyMap<string, Written>,
  { layer, call, output }: Reference,
): number {
  const node = results.get(`${layer}/${callIndex(byName.get(layer), call)}`)?.[output];
  if (node === undefined) throw new NeuralModelError(`layer "${layer}" has no output ${output}`);
  return node;
}

/** Calls are numbered over the layer's life: a nested model's begin with 1, its own being 0. */
function callIndex(layer: Written | undefined, call: number): number {
  const calls = Array.isArray(layer?.calls) ? layer.calls.length : 0;
  if (calls <= 1) return 0;
  return layer && modelClasses.includes(layer.className) ? Math.max(0, call - 1) : call;
}

function callInputs(layer: Written, at: number): Reference[] {
  const call: unknown = Array.isArray(layer.calls) ? layer.calls[at] : undefined;
  if (isRecord(call)) {
    throw new NeuralModelError(
      `layer "${layer.name ?? ''}" was saved by Keras 3; save the model with tf_keras, or from tfjs`,
    );
  }
  return references(call, `inbound_nodes of layer "${layer.name ?? ''}"`);
}

/** ["layer", call, output, {}] or a list of them. */
function references(value: unknown, where: string): Reference[] {
  const list: readonly unknown[] =
    Array.isArray(value) && typeof value[0] === 'string' ? [value] : Array.isArray(value) ? value : [];
  const read = list.map((entry): Reference | undefined => {
    if (!Array.isArray(entry)) return undefined;
    const [layer, call, output] = entry as unknown[];
    const fits = typeof layer === 'string' && Number.isInteger(call) && Number.isInteger(output);
    return fits ? { layer, call: call as number, output: output as number } : undefined;
  });
  const found = read.filter((entry) => entry !== undefined);
  if (found.length > 0 && found.length === read.length) return found;
  throw new NeuralModelError(`${where} is no list of [layer, call, output]`);
}

function callLayer(
  layer: Written,
  inputs: readonly number[] | undefined,
  graph: GraphBuilder,
  depth: number,
): readonly number[] {
  if (modelClasses.includes(layer.className)) {
    return readNet(layer.className, layer.config, inputs, graph, depth + 1);
  }
  const config = layerConfig(layer);
  const reader = layerReaders.get(layer.className);
  if (!reader) throw config.unsupported('layers of this kind are not compiled');
  if (!inputs || inputs.length === 0 || (reader.inputs === 'one' && inputs.length > 1)) {
    throw new NeuralModelError(
      `${layer.className} "${config.name}" has ${inputs?.length ?? 0} inputs; expected ${reader.inputs}`,
      { field: config.name },
    );
  }
  return [reader.read(config, inputs, graph)];
}

function layerConfig({ className, config, name }: Written): LayerConfig {
  return new LayerConfig(className, config, name ?? className);
}

function addInput(config: LayerConfig, graph: GraphBuilder): number {
  // Embeddings say the length of their input apart from its batch.
  const length = config.raw('input_length');
  const shape =
    config.batchShape('batch_input_shape') ??
    config.batchShape('batch_shape') ??
    (typeof length === 'number' ? [length] : undefined);
  if (!shape) {
    throw new NeuralModelError(
      `layer "${config.name}" is the first and has no input shape; give inputShape to the first layer`,
      { field: config.name },
    );
  }
  const dtype = config.raw('dtype') === 'int32' ? 'int32' : 'float32';
  const name = config.className === 'InputLayer' ? config.name : `${config.name}_input`;
  const named = new LayerConfig('InputLayer', { name });
  return graph.add(named, { type: 'input', dtype }, [], shape);
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
