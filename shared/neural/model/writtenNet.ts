// A tf.LayersModel's topology as it is written, JSON of unknown origin, with its form checked: models, layers and what
// they take.

import { LayerConfig } from '../graph/layerConfig.ts';
import { NeuralModelError } from '../graph/modelErrors.ts';
import { isRecord } from '../../memberOf.ts';

export interface WrittenLayer {
  readonly config: LayerConfig;
  /** As it is written beside the config; layers of a Sequential have none. */
  readonly name: unknown;
  /** Of a model within the model, its layers. */
  readonly net: WrittenNet | undefined;
  readonly nodes: readonly unknown[];
}

export interface WrittenNet {
  readonly className: string;
  readonly layers: readonly WrittenLayer[];
  readonly byName: ReadonlyMap<string, WrittenLayer>;
  /** Of a functional model. */
  readonly inputs: readonly Reference[];
  readonly outputs: readonly Reference[];
}

export interface Reference {
  readonly layer: string;
  readonly node: number;
  readonly output: number;
  readonly infers: boolean;
}

export const modelClasses: readonly string[] = ['Functional', 'Model', 'Sequential'];
const MAX_NESTING = 16;
const MAX_LAYERS = 20_000;

/** Keras puts the model below `model_config`; some writers give text. */
export function modelOf(topology: unknown): unknown {
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
  return isRecord(value) ? (value['model_config'] ?? value) : value;
}

function classOf(value: unknown, where: string): { className: string; value: Record<string, unknown> } {
  if (isRecord(value) && typeof value['class_name'] === 'string')
    return { className: value['class_name'], value };
  throw new NeuralModelError(
    `${where} has no class_name; expected a model or layer as tfjs and Keras save it`,
  );
}

export function writtenNet(written: unknown, depth: number): WrittenNet {
  const { className, value } = classOf(written, depth === 0 ? 'the topology' : 'a nested model');
  if (depth > MAX_NESTING) throw new NeuralModelError(`models are nested more than ${MAX_NESTING} deep`);
  if (!modelClasses.includes(className)) {
    throw new NeuralModelError(`the topology is a ${className}; expected one of ${modelClasses.join(', ')}`);
  }
  const { config } = value;
  // Sequential models of early versions are a bare list.
  const layers = Array.isArray(config) ? config : isRecord(config) ? config['layers'] : undefined;
  if (!Array.isArray(layers) || layers.length === 0 || layers.length > MAX_LAYERS) {
    throw new NeuralModelError(`${className}: layers is no list of 1 to ${MAX_LAYERS} layers`);
  }
  const list = layers.map((layer: unknown, at) => writtenLayer(layer, at, depth));
  const ends = (field: string): Reference[] =>
    className === 'Sequential' ? [] : references(isRecord(config) ? config[field] : undefined, field);
  return {
    className,
    layers: list,
    byName: new Map(list.map((layer) => [layer.config.name, layer])),
    inputs: ends('input_layers'),
    outputs: ends('output_layers'),
  };
}

function writtenLayer(written: unknown, at: number, depth: number): WrittenLayer {
  const { className, value } = classOf(written, `layer ${at}`);
  const { name, config, inbound_nodes: nodes } = value;
  const isNet = modelClasses.includes(className);
  return {
    // A bare list of layers has no settings of its own.
    config: new LayerConfig(
      className,
      isNet && Array.isArray(config) ? {} : config,
      typeof name === 'string' && name !== '' ? name : className,
    ),
    name,
    net: isNet ? writtenNet(written, depth + 1) : undefined,
    nodes: Array.isArray(nodes) ? nodes : [],
  };
}

/** ["layer", call, output, settings of the call] or a list of them. */
export function references(value: unknown, where: string): Reference[] {
  const list: readonly unknown[] =
    Array.isArray(value) && typeof value[0] === 'string' ? [value] : Array.isArray(value) ? value : [];
  const read = list.map((entry): Reference | undefined => {
    if (!Array.isArray(entry)) return undefined;
    const [layer, node, output, settings] = entry as unknown[];
    if (typeof layer !== 'string' || !isIndex(node) || !isIndex(output)) return undefined;
    return { layer, node, output, infers: isRecord(settings) && settings['training'] === false };
  });
  const found = read.filter((entry) => entry !== undefined);
  if (found.length > 0 && found.length === read.length) return found;
  throw new NeuralModelError(`${where} is no list of [layer, call, output]`);
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
