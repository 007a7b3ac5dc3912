// Where the weights of a tf.LayersModel lie in the engine's flat arrays: trained and frozen ones among the parameters,
// moving statistics of batch normalization in a section of their own.

import type * as tfjs from '@tensorflow/tfjs';
import type { EngineLayout, ParameterSlot, StateSection } from '../../../shared/neural/trainingEngine.ts';
import { holdInInference } from './inferringLayers.ts';
import { EngineUnsuitableError } from './tfjsErrors.ts';

const F32_BYTES = 4;

type Layer = tfjs.layers.Layer;
type Weight = Layer['weights'][number];

export interface WeightPlace {
  readonly variable: tfjs.Variable;
  readonly slot: ParameterSlot;
}

interface ParameterPlace extends WeightPlace {
  /** Frozen ones keep their values. */
  readonly trained: boolean;
  readonly l1: number;
  readonly l2: number;
  /** Applied after each update. */
  readonly constraint: { apply(weight: tfjs.Tensor): tfjs.Tensor } | undefined;
}

interface StatisticPlace extends WeightPlace {
  /** 1 for those that stay as they are. */
  readonly momentum: number;
  /** How often the layer occurs in the model. */
  readonly uses: number;
}

export interface ModelLayout {
  readonly layout: EngineLayout;
  readonly parameters: readonly ParameterPlace[];
  readonly statistics: readonly StatisticPlace[];
  /** Layers with nothing inside them, in forward order. */
  readonly layers: readonly Layer[];
}

/**
 * @param optimizerSlots arrays as long as the parameters that the optimizer keeps.
 * @param topology what the model was built of.
 */
export function layOutModel(
  model: tfjs.LayersModel,
  topology: object,
  optimizerSlots: number,
  bucketBytes: number,
): ModelLayout {
  const layers = model.layers.flatMap(innermost);
  const held = holdInInference(layers, topology);
  const parameters: ParameterPlace[] = [];
  const statistics: StatisticPlace[] = [];
  const lengths: Record<StateSection, number> = { parameters: 0, statistics: 0, optimizer: 0 };
  const place = (weight: Weight, section: ParameterSlot['section']): WeightPlace => {
    const variable = weight.read() as tfjs.Variable;
    const { size: length, shape } = variable;
    const slot = { name: weight.originalName, shape, section, offset: lengths[section], length };
    lengths[section] += length;
    return { variable, slot };
  };

  for (const layer of layers) {
    const isNorm = layer.getClassName() === 'BatchNormalization';
    const trained = new Set(layer.trainableWeights);
    const penalties = penaltiesOf(layer);
    layer.weights.forEach((weight, at) => {
      if (isNorm && at >= layer.weights.length - 2) {
        const momentum = held.has(layer) ? 1 : (layer.getConfig()['momentum'] as number);
        statistics.push({ ...place(weight, 'statistics'), momentum, uses: layer.inboundNodes.length });
        return;
      }
      const { constraint } = weight as unknown as { constraint: ParameterPlace['constraint'] | null };
      parameters.push({
        ...place(weight, 'parameters'),
        trained: trained.has(weight),
        l1: 0,
        l2: 0,
        ...penalties.get(weight),
        constraint: constraint ?? undefined,
      });
    });
  }

  lengths.optimizer = optimizerSlots * lengths.parameters;
  const reductionLength = lengths.parameters + lengths.statistics;
  const layout = {
    slots: [...parameters, ...statistics].map(({ slot }) => slot),
    lengths,
    reductionLength,
    buckets: cutBuckets(reductionLength, Math.max(1, Math.floor(bucketBytes / F32_BYTES))),
  };
  return { layout, parameters, statistics, layers };
}

/** Models within the model are taken apart. */
function innermost(layer: Layer): Layer[] {
  return 'layers' in layer ? (layer.layers as Layer[]).flatMap(innermost) : [layer];
}

/** Regularizers by weight. tfjs keeps them in fields named after the weight: kernelRegularizer is kernel's. */
function penaltiesOf(layer: Layer): ReadonlyMap<Weight, { readonly l1: number; readonly l2: number }> {
  const found = new Map<Weight, { l1: number; l2: number }>();
  for (const [field, value] of Object.entries(layer)) {
    const name = /^(\w+)Regularizer$/.exec(field)?.[1];
    const regularizer = value as { l1?: unknown; l2?: unknown } | null | undefined;
    if (name === undefined || !regularizer) continue;
    const weight = layer.weights.find(({ originalName }) => originalName.split('/').at(-1)!.startsWith(name));
    const { l1, l2 } = regularizer;
    if (weight && typeof l1 === 'number' && typeof l2 === 'number') found.set(weight, { l1, l2 });
  }
  if (found.size === layer.losses.length) return found;
  throw new EngineUnsuitableError(
    `layer ${layer.name} has a regularizer that is none of l1, l2 and l1l2 of a weight; give its penalty as one of these`,
    { field: layer.name },
  );
}

/** From the last layer to the first, as every engine has them. tfjs gives all gradients at once. */
function cutBuckets(total: number, length: number): EngineLayout['buckets'] {
  const buckets: { offset: number; length: number }[] = [];
  for (let end = total; end > 0; end -= length) {
    const offset = Math.max(0, end - length);
    buckets.push({ offset, length: end - offset });
  }
  return buckets;
}
