// Topologies of Keras 3 in the form of Keras 2, which tfjs reads and writes: what tabgrad keeps and gives away has one form.
// Keras 3 writes each object with its module, types as policies, shapes of inputs under another name, and the inputs of a
// call as its arguments (keras/src/saving/serialization_lib.py, keras/src/models/functional.py).

import { modelClasses } from './writtenNet.ts';
import { NeuralModelError } from '../graph/modelErrors.ts';
import { isRecord } from '../../memberOf.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Deeper than any config is; what is read here comes from others. */
const MAX_DEPTH = 100;

/** @returns the topology itself where it is not of Keras 3. @throws NeuralModelError */
export function asKeras2(topology: unknown): unknown {
  if (!isRecord(topology)) return topology;
  const inner = topology['model_config'];
  const model = inner ?? topology;
  if (!isRecord(model) || !isKeras3(topology, model)) return topology;
  const converted = objectOf(model, 0);
  return inner === undefined ? converted : { ...topology, model_config: converted };
}

function isKeras3(topology: Fields, model: Fields): boolean {
  const version = topology['keras_version'] ?? model['keras_version'];
  if (typeof version === 'string') return Number.parseInt(version, 10) >= 3;
  const config = model['config'];
  const layers = isRecord(config) ? config['layers'] : undefined;
  return [model, ...(Array.isArray(layers) ? (layers as unknown[]) : [])].some(
    (one) => isRecord(one) && 'registered_name' in one,
  );
}

function valueOf(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) {
    throw new NeuralModelError(`the topology is nested more than ${MAX_DEPTH} deep`);
  }
  if (Array.isArray(value)) return value.map((one) => valueOf(one, depth + 1));
  if (!isRecord(value)) return value;
  return typeof value['class_name'] === 'string' ? objectOf(value, depth) : fieldsOf(value, depth);
}

function fieldsOf(fields: Fields, depth: number): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, valueOf(value, depth + 1)]));
}

/** Something with a class: a layer, a model, an initializer, a type policy, a function. */
function objectOf(written: Fields, depth: number): unknown {
  const { class_name: className, config, name, inbound_nodes: nodes, build_config: built } = written;
  // Functions of Keras go by their names.
  if (className === 'function') return config;
  if (className === 'DTypePolicy') return typeNameOf(config);
  const fields = isRecord(config) ? fieldsOf(config, depth) : config;
  return {
    class_name: className,
    config: isRecord(fields) ? configOf(String(className), fields, config as Fields, built) : fields,
    ...(name !== undefined && { name }),
    ...(nodes !== undefined && { inbound_nodes: nodes }),
  };
}

function configOf(className: string, fields: Fields, written: Fields, built: unknown): Fields {
  const { batch_shape: batchShape, ...rest } = fields;
  if (rest['activation'] === 'hard_sigmoid') {
    throw new NeuralModelError(
      `${className} "${String(rest['name']).slice(0, 200)}": hard_sigmoid of Keras 3 is another function than that of tfjs and Keras 2; save the model with tf_keras, or use sigmoid`,
      { field: `${String(rest['name']).slice(0, 200)}.activation` },
    );
  }
  // tfjs has it by its older name.
  const config: Fields = rest['activation'] === 'silu' ? { ...rest, activation: 'swish' } : rest;
  const shaped = batchShape === undefined ? config : { ...config, batch_input_shape: batchShape };
  if (className === 'Sequential') return sequential(shaped, written, built);
  if (modelClasses.includes(className)) return functional(shaped);
  const slope = className === 'LeakyReLU' ? config['negative_slope'] : undefined;
  return slope === undefined || 'alpha' in config ? shaped : { ...shaped, alpha: slope };
}

/** Variables of mixed policies are of float32, and so is what is computed here. */
function typeNameOf(config: unknown): unknown {
  const name = isRecord(config) ? config['name'] : undefined;
  return typeof name === 'string' && name.startsWith('mixed_') ? 'float32' : name;
}

/** The shape of its input is that of its first layer, or it was built for one. */
function sequential(config: Fields, written: Fields, built: unknown): Fields {
  const { layers } = config;
  const [first, ...others] = Array.isArray(layers) ? (layers as unknown[]) : [];
  const shape = written['build_input_shape'] ?? (isRecord(built) ? built['input_shape'] : undefined);
  if (!isRecord(first) || !isRecord(first['config']) || !Array.isArray(shape)) return config;
  if ('batch_input_shape' in first['config'] || modelClasses.includes(String(first['class_name'])))
    return config;
  const opened = { ...first, config: { ...first['config'], batch_input_shape: shape } };
  return { ...config, layers: [opened, ...others] };
}

function functional(config: Fields): Fields {
  const layers = Array.isArray(config['layers']) ? (config['layers'] as unknown[]) : [];
  const nets = new Set(
    layers.flatMap((layer) =>
      isRecord(layer) && modelClasses.includes(String(layer['class_name'])) ? [layer['name']] : [],
    ),
  );
  // Keras 2 counts a nested model's own call as its first.
  const counted = ([layer, node, ...rest]: readonly unknown[]): unknown[] => [
    layer,
    nets.has(layer) && typeof node === 'number' ? node + 1 : node,
    ...rest,
  ];
  const ends = (value: unknown): unknown => {
    if (!Array.isArray(value)) return value;
    const list: readonly unknown[] = typeof value[0] === 'string' ? [value] : value;
    return list.map((one) => (Array.isArray(one) ? counted(one) : one));
  };
  return {
    ...config,
    layers: layers.map((layer) => (isRecord(layer) ? withNodes(layer, counted) : layer)),
    input_layers: ends(config['input_layers']),
    output_layers: ends(config['output_layers']),
  };
}

function withNodes(layer: Fields, counted: (reference: readonly unknown[]) => unknown[]): Fields {
  const { inbound_nodes: nodes } = layer;
  if (!Array.isArray(nodes)) return layer;
  const read = nodes.map((node: unknown) => {
    if (!isRecord(node)) return node;
    const settings = callSettings(node['kwargs']);
    return tensorsIn([node['args'], node['kwargs']], 0).map((history) => [...counted(history), settings]);
  });
  return { ...layer, inbound_nodes: read };
}

function callSettings(kwargs: unknown): Fields {
  const training = isRecord(kwargs) ? kwargs['training'] : undefined;
  return typeof training === 'boolean' ? { training } : {};
}

/** [layer, call, output] of all tensors among the arguments of a call. */
function tensorsIn(value: unknown, depth: number): (readonly unknown[])[] {
  if (depth > MAX_DEPTH) throw new NeuralModelError(`arguments are nested more than ${MAX_DEPTH} deep`);
  if (Array.isArray(value)) return value.flatMap((one) => tensorsIn(one, depth + 1));
  if (!isRecord(value)) return [];
  if (value['class_name'] !== '__keras_tensor__') {
    return Object.values(value).flatMap((one) => tensorsIn(one, depth + 1));
  }
  const history = isRecord(value['config']) ? value['config']['keras_history'] : undefined;
  return Array.isArray(history) ? [history] : [];
}
