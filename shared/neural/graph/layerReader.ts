// How one kind of layer is read into the graph.

import type { GraphBuilder } from './graphBuilder.ts';
import type { LayerConfig } from './layerConfig.ts';

export interface LayerReader {
  /** Keras's and tfjs's names for it. */
  readonly classNames: readonly string[];
  /** How many inputs it takes. */
  readonly inputs: 'many' | 'one';
  /**
   * Adds the layer's nodes.
   * @returns the node of its output.
   * @throws NeuralModelError, UnsupportedLayer
   */
  read(config: LayerConfig, inputs: readonly number[], graph: GraphBuilder): number;
}

/** The only input of a layer that takes one. */
export function single(inputs: readonly number[]): number {
  return inputs[0]!;
}
