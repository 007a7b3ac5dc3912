// Activations as layers of their own.

import type { ActivationConfig } from '../graph/activations.ts';
import type { LayerConfig } from '../graph/layerConfig.ts';
import { single, type LayerReader, type OutputRule } from '../graph/layerReader.ts';

function reader(
  classNames: readonly string[],
  gives: OutputRule,
  activationOf: (config: LayerConfig, rank: number) => ActivationConfig | undefined,
): LayerReader {
  return {
    classNames,
    inputs: 'one',
    gives,
    takesParts: true,
    read: (config, inputs, graph) =>
      graph.activate(config, single(inputs), activationOf(config, graph.shape(single(inputs)).length)),
  };
}

export const activation = reader(['Activation'], 'activation', (config) => config.activation());

export const relu = reader(['ReLU'], 'values', (config) => {
  const most = config.raw('max_value') ?? null;
  if (most !== null && most !== 6) throw config.unsupported(`its max_value is ${JSON.stringify(most)}`);
  const slope = config.number('negative_slope', 0);
  if (config.number('threshold', 0) !== 0) throw config.unsupported('it has a threshold');
  if (slope === 0) return { function: most === null ? 'relu' : 'relu6' };
  if (most !== null) throw config.unsupported('it has both a slope and a max_value');
  return { function: 'leakyRelu', alpha: slope };
});

export const leakyRelu = reader(['LeakyReLU'], 'values', (config) => ({
  function: 'leakyRelu',
  alpha: config.number('alpha', config.number('negative_slope', 0.3)),
}));

export const elu = reader(['ELU'], 'values', (config) => ({
  function: 'elu',
  alpha: config.number('alpha', 1),
}));

export const softmax = reader(['Softmax'], 'probabilities', (config, rank) => {
  // Counted with the batch, or from behind; tfjs writes 1 where nothing was given.
  const axis = config.number('axis', -1);
  if (axis !== -1 && axis !== rank) throw config.unsupported('its axis is not the last');
  return { function: 'softmax' };
});
