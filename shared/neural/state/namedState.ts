// The state of a neural run by the names of its weights, as it is kept and sent: engines may lay it out as they like.

import { randomFromWords } from '../../text/randomFromWords.ts';
import type { LayerGraph, WeightSpec } from '../layerGraph.ts';
import { WeightsMismatchError } from '../graph/modelErrors.ts';
import { elements } from '../graph/graphBuilder.ts';
import { initialValues, type Initializer } from '../graph/initializer.ts';
import type { EngineLayout, StateSection } from '../trainingEngine.ts';
import { decodeTensors, encodeTensors, type Tensor } from './safetensors.ts';

export interface NamedState {
  /** Steps behind it. */
  readonly step: number;
  /** Parameters and statistics by their names in the model. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** The optimizer's arrays, each by the names of the parameters: Adam's m and v, the momentum of SGD. */
  readonly optimizer: readonly ReadonlyMap<string, Tensor>[];
  /** Of the outer steps, by the names of the parameters; runs without local steps have none. */
  readonly velocity?: ReadonlyMap<string, Tensor>;
}

export type Sections = Readonly<Record<StateSection, Float32Array>>;

/** All weights of a graph, in forward order; those of a layer that is called several times once. */
export function weightsOf({ nodes }: LayerGraph): WeightSpec[] {
  const all = nodes.flatMap((node) => node.weights);
  return [...new Map(all.map((weight) => [weight.name, weight])).values()];
}

/** The weights that a model begins with. Each has a seed of its own, so none depends on what else is in the model. */
export function initialWeights(
  graph: LayerGraph,
  initializers: ReadonlyMap<string, Initializer>,
  seed: number,
): Map<string, Tensor> {
  return new Map(
    weightsOf(graph).map(({ name, shape }) => {
      const initializer = initializers.get(name) ?? { kind: 'constant', value: 0 };
      return [name, { shape, values: initialValues(initializer, shape, randomFromWords(seed, name)) }];
    }),
  );
}

/**
 * Weights in the order and with the names of the model, from another writer's.
 * @throws WeightsMismatchError naming the tensor, what was expected and found.
 */
export function matchWeights(
  wanted: readonly Pick<WeightSpec, 'name' | 'shape'>[],
  found: ReadonlyMap<string, Tensor>,
  what: string,
): Map<string, Tensor> {
  const matched = new Map(
    wanted.map(({ name, shape }) => {
      const tensor = found.get(name) ?? found.get(onlyEnding(found, name) ?? '');
      if (!tensor) {
        throw new WeightsMismatchError(
          `${what} has no tensor "${name}" of shape [${shape.join(', ')}]; it has ${listed(found)}`,
          { field: name },
        );
      }
      if (tensor.shape.join() !== shape.join() || tensor.values.length !== elements(shape)) {
        throw new WeightsMismatchError(
          `${what}: tensor "${name}" has shape [${tensor.shape.join(', ')}]; the model expects [${shape.join(', ')}]`,
          { field: name },
        );
      }
      return [name, { shape, values: tensor.values }] as const;
    }),
  );
  if (found.size > matched.size) {
    const names = new Set(matched.keys());
    const extra = [...found.keys()].find((name) => !names.has(name) && !endsWithAny(name, names));
    if (extra !== undefined) {
      throw new WeightsMismatchError(`${what} has a tensor "${extra}" that the model has not`, {
        field: extra,
      });
    }
  }
  return matched;
}

/** Keras writes the names of nested models in front: "model/dense/kernel". */
function onlyEnding(found: ReadonlyMap<string, Tensor>, name: string): string | undefined {
  const fits = [...found.keys()].filter((one) => one.endsWith(`/${name}`));
  return fits.length === 1 ? fits[0] : undefined;
}

function endsWithAny(name: string, names: ReadonlySet<string>): boolean {
  const parts = name.split('/');
  return parts.some((_, at) => names.has(parts.slice(at).join('/')));
}

function listed(found: ReadonlyMap<string, Tensor>): string {
  const names = [...found.keys()];
  return names.length === 0
    ? 'none'
    : `${names.slice(0, 4).join(', ')}${names.length > 4 ? `, … (${names.length} in all)` : ''}`;
}

/** As the engine lays it out. An optimizer without a state yet begins with zeros. @throws WeightsMismatchError */
export function toSections(layout: EngineLayout, state: NamedState): Sections {
  const sections = {
    parameters: new Float32Array(layout.lengths.parameters),
    statistics: new Float32Array(layout.lengths.statistics),
    optimizer: new Float32Array(layout.lengths.optimizer),
  };
  const weights = matchWeights(layout.slots, state.weights, 'the state');
  for (const { name, section, offset } of layout.slots) {
    sections[section].set(weights.get(name)!.values, offset);
  }
  const slots = layout.lengths.optimizer / Math.max(1, layout.lengths.parameters);
  if (state.optimizer.length > 0 && state.optimizer.length !== slots) {
    throw new WeightsMismatchError(
      `the state is of an optimizer with ${state.optimizer.length} arrays; the run's optimizer has ${slots}`,
    );
  }
  const parameters = layout.slots.filter((slot) => slot.section === 'parameters');
  for (const [at, named] of state.optimizer.entries()) {
    const values = matchWeights(parameters, named, `array ${at} of the optimizer's state`);
    for (const { name, offset } of parameters) {
      sections.optimizer.set(values.get(name)!.values, at * layout.lengths.parameters + offset);
    }
  }
  return sections;
}

/** The velocity of the outer steps as the engine lays parameters out; zeros before the first. @throws WeightsMismatchError */
export function velocityOf(
  { slots, lengths }: EngineLayout,
  { velocity }: Pick<NamedState, 'velocity'>,
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(lengths.parameters);
  if (!velocity) return values;
  const parameters = slots.filter((slot) => slot.section === 'parameters');
  const named = matchWeights(parameters, velocity, 'the velocity of the outer steps');
  for (const { name, offset } of parameters) values.set(named.get(name)!.values, offset);
  return values;
}

/** @param velocity of the outer steps, as long as the parameters. */
export function fromSections(
  layout: EngineLayout,
  sections: Sections,
  step: number,
  velocity?: Float32Array,
): NamedState {
  const parameters = layout.slots.filter((slot) => slot.section === 'parameters');
  const tensor = (
    values: Float32Array,
    { shape, offset, length }: (typeof layout.slots)[number],
  ): Tensor => ({ shape, values: values.subarray(offset, offset + length) });
  const { lengths } = layout;
  const slots = lengths.parameters === 0 ? 0 : lengths.optimizer / lengths.parameters;
  return {
    step,
    weights: new Map(layout.slots.map((slot) => [slot.name, tensor(sections[slot.section], slot)])),
    optimizer: Array.from({ length: slots }, (_, at) => {
      const values = sections.optimizer.subarray(at * lengths.parameters, (at + 1) * lengths.parameters);
      return new Map(parameters.map((slot) => [slot.name, tensor(values, slot)]));
    }),
    ...(velocity && { velocity: new Map(parameters.map((slot) => [slot.name, tensor(velocity, slot)])) }),
  };
}

/** One safetensors file with everything: "weights/NAME", "optimizer/0/NAME" and "velocity/NAME". */
export function encodeState({ step, weights, ...rest }: NamedState): Uint8Array<ArrayBuffer> {
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of weights) tensors.set(`weights/${name}`, tensor);
  for (const [name, tensor] of optimizerTensors(rest)) tensors.set(name, tensor);
  return encodeTensors({ tensors, metadata: { format: 'tabgrad-1', step: String(step) } });
}

/** @param what the file, for messages. @throws WeightsMismatchError */
export function decodeState(bytes: Uint8Array, what: string): NamedState {
  const { tensors, metadata } = decodeTensors(bytes, what);
  const step = Number(metadata['step']);
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new WeightsMismatchError(`${what} does not say after how many steps it was kept`);
  }
  const weights = new Map<string, Tensor>();
  const others = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) {
    if (name.startsWith('weights/')) weights.set(name.slice('weights/'.length), tensor);
    else others.set(name, tensor);
  }
  return { step, weights, ...readOptimizerTensors(others, what) };
}

type OptimizerState = Pick<NamedState, 'optimizer' | 'velocity'>;

/** The arrays of the optimizer and of the outer steps under the names that files have for them. */
export function optimizerTensors({ optimizer, velocity = new Map() }: OptimizerState): Map<string, Tensor> {
  const sections = [
    ...optimizer.map((named, at) => [`optimizer/${at}`, named] as const),
    ['velocity', velocity] as const,
  ];
  return new Map(
    sections.flatMap(([section, named]) =>
      [...named].map(([name, tensor]) => [`${section}/${name}`, tensor] as const),
    ),
  );
}

/** The reverse. @param what the file, for messages. @throws WeightsMismatchError naming a tensor that is neither. */
export function readOptimizerTensors(tensors: ReadonlyMap<string, Tensor>, what: string): OptimizerState {
  const optimizer: Map<string, Tensor>[] = [];
  const velocity = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) {
    const [, section = '', rest = ''] = /^(velocity|optimizer\/\d)\/(.+)$/.exec(name) ?? [];
    if (section === 'velocity') velocity.set(rest, tensor);
    else if (section !== '') (optimizer[Number(section.slice(-1))] ??= new Map()).set(rest, tensor);
    else throw new WeightsMismatchError(`${what}: unexpected tensor "${name}"`, { field: name });
  }
  return {
    optimizer: Array.from(optimizer, (named) => named ?? new Map<string, Tensor>()),
    ...(velocity.size > 0 && { velocity }),
  };
}
