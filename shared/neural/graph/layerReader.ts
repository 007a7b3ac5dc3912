// How one kind of layer is read into the graph.

import type { GraphBuilder } from './graphBuilder.ts';
import type { LayerConfig } from './layerConfig.ts';

/**
 * "anew": numbers, whatever goes in. "values": values of the inputs, or between them. "sum", "product" and "rescaled" of the
 * inputs. "activated": numbers after its `activation`; "activation": the inputs after it. "wrapped": what its inner layer gives.
 */
export type OutputRule =
  | 'activated'
  | 'activation'
  | 'anew'
  | 'probabilities'
  | 'product'
  | 'rescaled'
  | 'sum'
  | 'values'
  | 'wrapped';

export interface LayerReader {
  /** Keras's and tfjs's names for it. */
  readonly classNames: readonly string[];
  /** How many inputs it takes. */
  readonly inputs: 'many' | 'one';
  /** What it makes of numbers and of probabilities (model/outputKind.ts). */
  readonly gives: OutputRule;
  /** Whether it may see each part of a sequence by itself, in a TimeDistributed. */
  readonly takesParts: boolean;
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
