// A tf.LayersModel that an owner's script has in memory, of whatever copy of tfjs: its topology, and its weights.

import { NeuralModelError } from '../../shared/neural/graph/modelErrors.ts';
import type { Tensor } from '../../shared/neural/state/safetensors.ts';

/** As much of a tf.LayersModel as is looked at. */
export interface LiveModel extends LiveLayer {
  toJSON(unused?: unknown, returnString?: boolean): unknown;
  readonly weights: readonly { readonly originalName: string; read(): LiveTensor }[];
}

interface LiveLayer {
  readonly name?: string;
  readonly trainable?: boolean;
  /** Of a model within the model. */
  readonly layers?: readonly LiveLayer[];
}

interface LiveTensor {
  readonly shape: readonly number[];
  dataSync(): ArrayLike<number>;
}

interface WrittenModel {
  readonly config?: {
    trainable?: boolean;
    readonly layers?: readonly WrittenModel[];
    readonly name?: string;
  };
}

export function isLive(source: object): source is LiveModel {
  return 'toJSON' in source && typeof source.toJSON === 'function' && 'weights' in source;
}

/** @throws NeuralModelError when two weights have one name: neither files nor workers could tell them apart. */
export function liveWeights(model: LiveModel): Map<string, Tensor> {
  const weights = new Map<string, Tensor>();
  for (const { originalName: name, ...weight } of model.weights.map(taken)) {
    if (weights.has(name)) {
      throw new NeuralModelError(
        `the model has two weights named "${name}"; give its layers, and those of its nested models, names of their own`,
        { field: name },
      );
    }
    weights.set(name, weight);
  }
  return weights;
}

function taken(weight: LiveModel['weights'][number]): Tensor & { readonly originalName: string } {
  const tensor = weight.read();
  const values = Float32Array.from(tensor.dataSync());
  return { originalName: weight.originalName, shape: tensor.shape, values };
}

/**
 * Models within the model that are frozen as a whole (`backbone.trainable = false`): tfjs does not write that down, so it is
 * written to their layers here.
 * @param written the model's own topology, which is changed.
 */
export function writeFrozen(model: LiveLayer, written: WrittenModel): void {
  const byName = new Map((model.layers ?? []).map((layer) => [layer.name, layer]));
  if (model.layers && model.trainable === false) return freeze(written);
  for (const layer of written.config?.layers ?? []) {
    const live = byName.get(layer.config?.name);
    if (live?.layers) writeFrozen(live, layer);
  }
}

function freeze({ config }: WrittenModel): void {
  if (!config) return;
  if (config.layers) config.layers.forEach(freeze);
  else config.trainable = false;
}
