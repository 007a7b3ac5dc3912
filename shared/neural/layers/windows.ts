// What convolutions and pooling layers have in common: a window that moves over an image.

import type { Padding, Pair } from '../layerGraph.ts';
import type { GraphBuilder } from '../graph/graphBuilder.ts';
import { paddingOf, windowOutput, type LayerConfig } from '../graph/layerConfig.ts';
import { NeuralModelError } from '../graph/modelErrors.ts';

export interface WindowPlace {
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: Padding;
  readonly output: Pair;
  readonly channels: number;
}

/** @param window height and width of what moves. */
export function placeWindow(
  config: LayerConfig,
  graph: GraphBuilder,
  input: number,
  window: Pair,
  defaultStrides: Pair,
): WindowPlace {
  config.requireChannelsLast();
  const { size, channels } = graph.image(config, input);
  const strides = config.pair('strides', defaultStrides);
  const dilations = config.pair('dilation_rate', [1, 1]);
  const padding = paddingOf(
    config.text('padding', ['valid', 'same'], 'valid'),
    size,
    window,
    strides,
    dilations,
  );
  const output = windowOutput(size, window, strides, padding, dilations);
  if (output) return { strides, dilations, padding, output, channels };
  throw new NeuralModelError(
    `${config.className} "${config.name}": a window of ${window.join('×')} does not fit into an image of ${size.join('×')}`,
    { field: config.name },
  );
}
