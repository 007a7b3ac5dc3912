// A tf.LayersModel's topology (Sequential or functional) as the calls of its layers in the order in which they can be
// computed, with nested models taken apart: what all readers of models begin with, whether the layers are known or not.

import { LayerConfig } from './layerConfig.ts';
import { NeuralModelError } from './modelErrors.ts';

export interface LayerCall {
  /** What is called: one object for all calls of a layer. */
  readonly layer: LayerConfig;
  /** Positions of the calls whose values it takes, all before this one. */
  readonly inputs: readonly number[];
  /** Made for an input of the model. */
  readonly isInput: boolean;
  /** It, or a model around it, was called with training=False: it behaves as in inference always. */
  readonly infers: boolean;
}

export interface NetCalls {
  readonly calls: readonly LayerCall[];
  /** Calls that are the model's inputs, in its order. */
  readonly inputs: readonly number[];
  /** Calls whose values the model gives, in its order. */
  readonly outputs: readonly number[];
  /** Calls of which a second value is taken, or a later one. */
  readonly severalValued: ReadonlySet<number>;
  /** Class of the model itself. */
  readonly className: string;
}

interface WrittenLayer {
  readonly config: LayerConfig;
  /** As it is written beside the config; layers of a Sequential have none. */
  readonly name: unknown;
  /** Of a model within the model, its layers. */
  readonly net: WrittenNet | undefined;
  readonly nodes: readonly unknown[];
}

interface WrittenNet {
  readonly className: string;
  readonly layers: readonly WrittenLayer[];
  readonly byName: ReadonlyMap<string, WrittenLayer>;
  /** Of a functional model. */
  readonly inputs: readonly Reference[];
  readonly outputs: readonly Reference[];
}

interface Reference {
  readonly layer: string;
  readonly node: number;
  readonly output: number;
  readonly infers: boolean;
}

export const modelClasses: readonly string[] = ['Functional', 'Model', 'Sequential'];
const MAX_NESTING = 16;
const MAX_LAYERS = 20_000;
/** Calls and what they take; nested models count as often as they are called. */
const MAX_SIZE = 500_000;

/**
 * @param topology what `model.toJSON(null, false)` gives, or the `modelTopology` of a model.json (Keras's included).
 * @throws NeuralModelError when it is no model, its layers form a loop, or there are too many of them.
 */
export function readCalls(topology: unknown): NetCalls {
  const net = writtenNet(modelOf(topology), 0);
  const reading = new Reading();
  const outputs = reading.net(net, undefined, false);
  if (outputs.length === 0) throw new NeuralModelError('the model has no output');
  checkConnected(net);
  const inputs = reading.calls.flatMap(({ isInput }, at) => (isInput ? [at] : []));
  return {
    calls: reading.calls,
    inputs,
    outputs,
    severalValued: reading.severalValued,
    className: net.className,
  };
}

/**
 * What tfjs needs for building a model at all: of one with a call whose inputs never come it would never be done. Part of
 * `readCalls`, for those who leave the rest to tfjs.
 * @throws NeuralModelError
 */
export function checkTopology(topology: unknown): void {
  checkConnected(writtenNet(modelOf(topology), 0));
}

/** Every call gets its inputs, those that no output depends on too, and layers have one name each. */
function checkConnected({ className, layers, byName }: WrittenNet): void {
  for (const { net } of layers) if (net) checkConnected(net);
  if (className === 'Sequential') return;
  for (const { config, name } of layers) {
    if (name === config.name) continue;
    throw new NeuralModelError(
      `the layer "${config.name}" of a ${className} is named ${JSON.stringify(name)?.slice(0, 200) ?? 'nothing'} beside its config`,
      { field: config.name },
    );
  }
  if (byName.size < layers.length)
    throw new NeuralModelError(`two layers of a ${className} have the same name`);
  /** Calls that are made so far; inputs and models are called once where they stand. */
  const made = new Map(
    layers.map((layer) => [layer.config.name, layer.net || layer.config.className === 'InputLayer' ? 1 : 0]),
  );
  interface Waiting {
    readonly layer: WrittenLayer;
    readonly sources: readonly Reference[];
    next: number;
  }
  /** By the layer whose call they wait for. */
  const waiting = new Map<string, Waiting[]>();
  const ready = layers.flatMap((layer) =>
    layer.nodes.flatMap((node): Waiting[] => {
      // Inputs are called with nothing.
      if (Array.isArray(node) && node.length === 0) return [];
      const where = `inbound_nodes of layer "${layer.config.name}"`;
      return [{ layer, sources: references(node, where), next: 0 }];
    }),
  );
  let left = ready.length;
  for (let call = ready.pop(); call; call = ready.pop()) {
    const { layer, sources } = call;
    while (call.next < sources.length && isMade(made, sources[call.next]!)) call.next += 1;
    const source = sources[call.next];
    if (source) {
      const others = waiting.get(source.layer);
      if (others) others.push(call);
      else waiting.set(source.layer, [call]);
      continue;
    }
    left -= 1;
    const { name } = layer.config;
    made.set(name, (made.get(name) ?? 0) + 1);
    for (const other of waiting.get(name) ?? []) ready.push(other);
    waiting.delete(name);
  }
  if (left === 0) return;
  const [stuck] = [...waiting.values()].flat();
  const { layer, sources, next } = stuck!;
  const { layer: source, node } = sources[next]!;
  const { name } = layer.config;
  throw new NeuralModelError(
    `the layers of the model form a loop, or take what is not there: "${name}" waits for call ${node} of "${source.slice(0, 200)}"`,
    { field: name },
  );
}

function isMade(made: ReadonlyMap<string, number>, { layer, node }: Reference): boolean {
  return (made.get(layer) ?? 0) > node;
}

/** Keras puts the model below `model_config`; some writers give text. */
function modelOf(topology: unknown): unknown {
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

function writtenNet(written: unknown, depth: number): WrittenNet {
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

/** A call of a layer whose inputs are being collected. */
interface Frame {
  readonly key: string;
  readonly layer: WrittenLayer;
  readonly sources: readonly Reference[];
  next: number;
}

class Reading {
  readonly calls: LayerCall[] = [];
  readonly severalValued = new Set<number>();
  #size = 0;

  /** @param given calls to take for the inputs of a nested model; undefined makes calls of input layers. */
  net(net: WrittenNet, given: readonly number[] | undefined, infers: boolean): readonly number[] {
    return net.className === 'Sequential'
      ? [this.#sequential(net, given, infers)]
      : this.#functional(net, given, infers);
  }

  #add(call: LayerCall): number {
    this.#size += 1 + call.inputs.length;
    if (this.#size > MAX_SIZE)
      throw new NeuralModelError(`the model has more than ${MAX_SIZE} calls of layers and inputs of them`);
    return this.calls.push(call) - 1;
  }

  #input(layer: LayerConfig): number {
    return this.#add({ layer, inputs: [], isInput: true, infers: false });
  }

  #call(layer: WrittenLayer, inputs: readonly number[], infers: boolean): readonly number[] {
    if (!layer.net) return [this.#add({ layer: layer.config, inputs, isInput: false, infers })];
    const before = this.calls.length;
    const outputs = this.net(layer.net, inputs, infers);
    // A model that does nothing takes time as well.
    if (this.calls.length === before) this.#add({ layer: passing, inputs, isInput: false, infers });
    return outputs;
  }

  #sequential({ layers }: WrittenNet, given: readonly number[] | undefined, infers: boolean): number {
    let at = given?.[0];
    for (const layer of layers) {
      if (layer.config.className === 'InputLayer') {
        at ??= this.#input(layer.config);
        continue;
      }
      if (at === undefined && layer.net) {
        [at] = this.net(layer.net, undefined, infers);
        continue;
      }
      at ??= this.#input(layer.config);
      [at] = this.#call(layer, [at], infers);
    }
    if (at === undefined) throw new NeuralModelError('a Sequential model has no layer that does something');
    return at;
  }

  #functional(
    { byName, inputs: netInputs, outputs }: WrittenNet,
    given: readonly number[] | undefined,
    infers: boolean,
  ): readonly number[] {
    const found = (name: string, where: string): WrittenLayer => {
      const layer = byName.get(name);
      if (layer) return layer;
      throw new NeuralModelError(`${where} "${name.slice(0, 200)}", which is no layer of the model`);
    };
    /** Values of the calls that are done, by layer and call. */
    const results = new Map<string, readonly number[]>();
    for (const [at, { layer: name }] of netInputs.entries()) {
      const { config: input } = found(name, 'input_layers names');
      results.set(`0/${name}`, [given?.[at] ?? this.#input(input)]);
    }
    const frameOf = (reference: Reference): Frame => {
      const layer = found(reference.layer, 'a layer takes');
      const index = callIndex(layer, reference.node);
      const sources = references(layer.nodes[index], `inbound_nodes of layer "${layer.config.name}"`);
      return { key: `${index}/${reference.layer}`, layer, sources, next: 0 };
    };
    const resultOf = (reference: Reference): readonly number[] | undefined => {
      const layer = byName.get(reference.layer);
      return layer && results.get(`${callIndex(layer, reference.node)}/${reference.layer}`);
    };
    const valueOf = (reference: Reference): number => {
      const values = resultOf(reference) ?? [];
      const layer = byName.get(reference.layer);
      const at = values[layer?.net ? reference.output : 0];
      if (at === undefined)
        throw new NeuralModelError(`layer "${reference.layer}" has no output ${reference.output}`);
      if (!layer?.net && reference.output !== 0) this.severalValued.add(at);
      return at;
    };
    // A stack rather than recursion: nets are deeper than call stacks.
    const resolve = (wanted: Reference): number => {
      const open = new Set<string>();
      const stack: Frame[] = [];
      const enter = (reference: Reference): void => {
        if (resultOf(reference)) return;
        const frame = frameOf(reference);
        if (open.has(frame.key)) {
          throw new NeuralModelError(
            `the layers of the model form a loop: "${reference.layer}" takes what it gives`,
          );
        }
        open.add(frame.key);
        stack.push(frame);
      };
      enter(wanted);
      for (let frame = stack.at(-1); frame; frame = stack.at(-1)) {
        const source = frame.sources[frame.next];
        if (source) {
          frame.next += 1;
          enter(source);
          continue;
        }
        const inputs = frame.sources.map(valueOf);
        const inference = infers || frame.sources.some((one) => one.infers);
        results.set(frame.key, this.#call(frame.layer, inputs, inference));
        open.delete(frame.key);
        stack.pop();
      }
      return valueOf(wanted);
    };
    return outputs.map(resolve);
  }
}

const passing = new LayerConfig('InputLayer', {});

/** Calls are numbered over the layer's life: a nested model's begin with 1, its own being 0. */
function callIndex({ net, nodes }: WrittenLayer, node: number): number {
  if (nodes.length <= 1) return 0;
  return net ? Math.max(0, node - 1) : node;
}

/** ["layer", call, output, settings of the call] or a list of them. */
function references(value: unknown, where: string): Reference[] {
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
