// Where weights lie in an engine's flat arrays, and how the reduction is cut into buckets. Every implementation of
// TrainingEngine uses this layout, so that members of one run may compute on different ones.

import { optimizerSlots, type OptimizerSpec } from '../../kernels/neural/optimizer.ts';
import { NetInvalidError } from './netErrors.ts';
import type { LayerGraph, LayerNode, WeightSpec } from './layerGraph.ts';
import type { EngineLayout, ParameterSlot } from './trainingEngine.ts';

/** Weights start at multiples of this many elements: WebGPU binds stretches of a buffer that start at 256 bytes. */
const SLOT_ALIGNMENT = 64;

export const alignSlot = (length: number): number => Math.ceil(length / SLOT_ALIGNMENT) * SLOT_ALIGNMENT;

/** The moving mean and variance are the last two weights of a batch normalization. */
function sectionOf(node: LayerNode, weight: number): ParameterSlot['section'] {
  const moving = node.operation.type === 'batchNormalization' && weight >= node.weights.length - 2;
  return moving ? 'statistics' : 'parameters';
}

export const elementsOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function slotsOf(graph: LayerGraph): ParameterSlot[] {
  const slots = new Map<string, ParameterSlot>();
  const ends = { parameters: 0, statistics: 0 };
  const add = (node: LayerNode, weight: WeightSpec, k: number): void => {
    const known = slots.get(weight.name);
    // A layer that is used twice has its weights once.
    if (known !== undefined) {
      if (String(known.shape) === String(weight.shape)) return;
      throw new NetInvalidError(
        `Layer "${node.name}": the weight "${weight.name}" has the shape [${weight.shape.join(', ')}] here and [${known.shape.join(', ')}] elsewhere.`,
        { field: weight.name },
      );
    }
    const section = sectionOf(node, k);
    const length = elementsOf(weight.shape);
    slots.set(weight.name, {
      name: weight.name,
      shape: weight.shape,
      section,
      offset: ends[section],
      length,
    });
    ends[section] += alignSlot(length);
  };
  for (const node of graph.nodes) node.weights.forEach((weight, k) => add(node, weight, k));
  return [...slots.values()];
}

/**
 * Buckets from the end of the parameters, whose gradients the backward pass completes first, to their beginning. Batch
 * statistics, which follow the gradients, go with the first.
 */
function bucketsOf(
  slots: readonly ParameterSlot[],
  length: number,
  bucketBytes: number,
): EngineLayout['buckets'] {
  const buckets: { offset: number; length: number }[] = [];
  let end = length;
  for (const { section, offset } of slots.toReversed()) {
    if (section !== 'parameters' || 4 * (end - offset) < bucketBytes) continue;
    buckets.push({ offset, length: end - offset });
    end = offset;
  }
  if (end > 0) buckets.push({ offset: 0, length: end });
  return buckets;
}

/** Where the weights lie, apart from anything that training needs. */
export function weightLayout(graph: LayerGraph): {
  readonly slots: readonly ParameterSlot[];
  readonly lengths: Readonly<Record<ParameterSlot['section'], number>>;
} {
  const slots = slotsOf(graph);
  const lengthOf = (section: ParameterSlot['section']) =>
    slots
      .filter((slot) => slot.section === section)
      .reduce((end, slot) => Math.max(end, slot.offset + alignSlot(slot.length)), 0);
  return { slots, lengths: { parameters: lengthOf('parameters'), statistics: lengthOf('statistics') } };
}

export function engineLayout(graph: LayerGraph, optimizer: OptimizerSpec, bucketBytes: number): EngineLayout {
  const { slots, lengths } = weightLayout(graph);
  const { parameters, statistics } = lengths;
  const reductionLength = parameters + statistics;
  return {
    slots,
    lengths: { parameters, statistics, optimizer: parameters * optimizerSlots(optimizer) },
    reductionLength,
    buckets: bucketsOf(slots, reductionLength, bucketBytes),
  };
}
