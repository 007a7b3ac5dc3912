// A LayerGraph in the making: layer readers add nodes, with the values that their weights begin with.

import type { LayerNode, LayerOperation, Pair, Shape, WeightSpec } from '../layerGraph.ts';
import type { Initializer } from './initializer.ts';
import type { ActivationConfig } from './activations.ts';
import type { LayerConfig } from './layerConfig.ts';
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

const seesNoParts: ReadonlySet<LayerOperation['type']> = new Set(['activation', 'rescale', 'reshape']);

export class GraphBuilder {
  readonly nodes: LayerNode[] = [];
  readonly initializers = new Map<string, Initializer>();
  /** Whether the layer that is read now behaves as in inference always. */
  infers = false;
  /** The layer that is read now: one object for all of its calls. */
  layer: object | undefined;
  readonly #owners = new Map<string, { readonly layer: object | undefined; readonly shape: Shape }>();
  #parts: number | undefined;
  #weights = 0;

  shape(node: number): Shape {
    const found = this.nodes[node];
    if (!found) throw new NeuralModelError(`node ${node} of the model is used before it is made`);
    return this.#parts === undefined ? found.shape : found.shape.slice(1);
  }

  /** Reads a layer that sees each of `parts` parts along the first axis by itself: shapes are those of a part meanwhile. */
  ofParts(parts: number, read: () => number): number {
    this.#parts = parts;
    try {
      return read();
    } finally {
      this.#parts = undefined;
    }
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
      if (this.#isKnown(config, spec)) continue;
      this.initializers.set(spec.name, weights[i]!.initializer);
      this.#weights += elements(spec.shape);
    }
    if (this.#weights > MAX_WEIGHTS)
      throw new NeuralModelError(`the model has more than ${MAX_WEIGHTS} weights`);
    const node: LayerNode = { name: config.name, operation, inputs, shape, weights: specs };
    const parts = this.#parts;
    if (parts === undefined) return this.nodes.push(node) - 1;
    const whole = { ...node, shape: [parts, ...shape] };
    // What computes each value by itself need not know of parts.
    return this.nodes.push(seesNoParts.has(operation.type) ? whole : { ...whole, parts }) - 1;
  }

  /** Whether a call before this one has brought it. */
  hasWeight(config: LayerConfig, name: string): boolean {
    return this.#owners.has(`${config.name}/${name}`);
  }

  /** Whether an earlier call of the same layer has brought this weight. */
  #isKnown(config: LayerConfig, { name, shape }: WeightSpec): boolean {
    const known = this.#owners.get(name);
    if (known === undefined) {
      this.#owners.set(name, { layer: this.layer, shape });
      return false;
    }
    if (known.layer === undefined || known.layer !== this.layer)
      throw config.unsupported(`another layer has a weight "${name}" too`);
    if (known.shape.join() === shape.join()) return true;
    throw new NeuralModelError(
      `${config.className} "${config.name}" is called with inputs of different shapes: its weight "${name}" would be [${known.shape.join(', ')}] and [${shape.join(', ')}]`,
      { field: config.name },
    );
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
