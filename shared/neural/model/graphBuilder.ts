// A LayerGraph in the making: layer readers add nodes, with the values that their weights begin with.

import type { LayerNode, LayerOperation, Pair, Shape, WeightSpec } from '../layerGraph.ts';
import type { Initializer } from './initializer.ts';
import type { ActivationConfig, LayerConfig } from './layerConfig.ts';
import { NeuralModelError } from './modelErrors.ts';

/** More nodes than any net that is trained today. */
const MAX_NODES = 100_000;
/** 4 GiB of parameters. */
const MAX_WEIGHTS = 2 ** 30;

export interface NewWeight {
  /** Behind the layer's name, e.g. "kernel". */
  readonly name: string;
  readonly shape: Shape;
  readonly initializer: Initializer;
  readonly trainable?: boolean;
  readonly penalty?: { readonly l1?: number; readonly l2?: number };
}

export class GraphBuilder {
  readonly nodes: LayerNode[] = [];
  readonly initializers = new Map<string, Initializer>();
  /** Whether the layer that is read now behaves as in inference always. */
  infers = false;
  #weights = 0;

  shape(node: number): Shape {
    const found = this.nodes[node];
    if (!found) throw new NeuralModelError(`node ${node} of the model is used before it is made`);
    return found.shape;
  }

  /** Shape [height, width, channels]. */
  image(config: LayerConfig, node: number): { readonly size: Pair; readonly channels: number } {
    const [height, width, channels, ...more] = this.shape(node);
    if (height === undefined || width === undefined || channels === undefined || more.length > 0) {
      throw new NeuralModelError(
        `${config.className} "${config.name}" takes images [height, width, channels], not [${this.shape(node).join(', ')}]`,
        { field: config.name },
      );
    }
    return { size: [height, width], channels };
  }

  add(
    config: LayerConfig,
    operation: LayerOperation,
    inputs: readonly number[],
    shape: Shape,
    weights: readonly NewWeight[] = [],
  ): number {
    if (this.nodes.length >= MAX_NODES)
      throw new NeuralModelError(`the model has more than ${MAX_NODES} nodes`);
    const frozen = !config.flag('trainable', true);
    const specs = weights.map(({ name, shape: weightShape, trainable = true, penalty }): WeightSpec => ({
      name: `${config.name}/${name}`,
      shape: weightShape,
      trainable: trainable && !frozen,
      ...penalty,
    }));
    for (const [i, spec] of specs.entries()) {
      if (this.initializers.has(spec.name))
        throw config.unsupported('it is called more than once and has weights');
      this.initializers.set(spec.name, weights[i]!.initializer);
      this.#weights += elements(spec.shape);
    }
    if (this.#weights > MAX_WEIGHTS)
      throw new NeuralModelError(`the model has more than ${MAX_WEIGHTS} weights`);
    return this.nodes.push({ name: config.name, operation, inputs, shape, weights: specs }) - 1;
  }

  /** A node of its own for an `activation:` option, or the node itself when there is none. */
  activate(config: LayerConfig, node: number, activation: ActivationConfig | undefined): number {
    if (!activation) return node;
    return this.add(config, { type: 'activation', ...activation }, [node], this.shape(node));
  }
}

export function elements(shape: Shape): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}
