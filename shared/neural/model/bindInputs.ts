// Input shapes that a model leaves open, written into its topology: the compiled engine and tfjs's training are for one size.

import { modelClasses } from './writtenNet.ts';
import type { Shape } from '../layerGraph.ts';

type Fields = Record<string, unknown>;

/**
 * @param shapes without the batch, in the order of the model's inputs.
 * @returns a topology of its own.
 */
export function bindInputs(topology: object, shapes: readonly Shape[]): object {
  const bound = structuredClone(topology) as Fields;
  bindModel((bound['model_config'] ?? bound) as Fields, shapes);
  return bound;
}

function bindModel(model: Fields, shapes: readonly Shape[]): void {
  const config = model['config'] as Fields;
  const layers = (Array.isArray(config) ? config : config['layers']) as Fields[];
  if (model['class_name'] === 'Sequential') {
    const [first] = layers;
    if (first && modelClasses.includes(String(first['class_name']))) bindModel(first, shapes);
    else if (first && shapes[0]) bindLayer(first, shapes[0]);
    return;
  }
  const inputs = config['input_layers'] as unknown[];
  const names = (typeof inputs[0] === 'string' ? [inputs] : inputs).map((input) => (input as unknown[])[0]);
  for (const [at, name] of names.entries()) {
    const layer = layers.find((one) => (one['config'] as Fields)['name'] === name || one['name'] === name);
    if (layer && shapes[at]) bindLayer(layer, shapes[at]);
  }
}

function bindLayer(layer: Fields, shape: Shape): void {
  const config = layer['config'] as Fields;
  delete config['batch_shape'];
  config['batch_input_shape'] = [null, ...shape];
}
