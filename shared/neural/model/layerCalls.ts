// A tf.LayersModel's topology (Sequential or functional) as the calls of its layers in the order in which they can be
// computed, with nested models taken apart: what all readers of models begin with, whether the layers are known or not.

import { checkConnected } from './checkConnected.ts';
import { LayerConfig } from '../graph/layerConfig.ts';
import { NeuralModelError } from '../graph/modelErrors.ts';
import {
  modelOf,
  references,
  writtenNet,
  type Reference,
  type WrittenLayer,
  type WrittenNet,
} from './writtenNet.ts';

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
  /** Layers of the model itself; a nested model is one. */
  readonly layers: number;
  /** Class of the model itself. */
  readonly className: string;
}

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
    layers: net.layers.length,
    className: net.className,
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
