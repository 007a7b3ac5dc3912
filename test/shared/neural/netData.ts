// Seeded weights and batches for tests of engines.

import { elementsOf } from '../../../shared/neural/engineLayout.ts';
import type { LayerGraph } from '../../../shared/neural/layerGraph.ts';
import type {
  EngineLayout,
  EngineSpec,
  Microbatch,
  TrainingEngine,
} from '../../../shared/neural/trainingEngine.ts';
import { seededNumbers } from '../../kernels/seededNumbers.ts';

type Random = () => number;

/** Numbers of a normal distribution (Box & Muller 1958). */
function seededNormal(seed: number): Random {
  const numbers = seededNumbers(seed);
  return () => Math.sqrt(-2 * Math.log(1 - numbers.next())) * Math.cos(2 * Math.PI * numbers.next());
}

/** Weights as large as they should be for values to stay of order 1; variances are positive. */
export function drawState(layout: EngineLayout, seed: number) {
  const normal = seededNormal(seed);
  const parameters = new Float32Array(layout.lengths.parameters);
  const statistics = new Float32Array(layout.lengths.statistics);
  for (const { name, section, offset, length, shape } of layout.slots) {
    const target = section === 'parameters' ? parameters : statistics;
    const fanIn = shape.length > 1 ? elementsOf(shape.slice(0, -1)) : 1;
    for (let i = 0; i < length; i += 1) {
      let value = normal() / Math.sqrt(fanIn);
      if (shape.length === 1) value = 0.2 * value + (name.endsWith('gamma') ? 1 : 0);
      if (name.endsWith('moving_variance')) value = 1 + 0.5 * Math.abs(value);
      target[offset + i] = value;
    }
  }
  return { parameters, statistics };
}

/** The targets that a loss wants: classes, or numbers (one-hot rows for categorical cross-entropy). */
export function drawBatch(spec: EngineSpec, examples: number, seed: number, firstId = 0): Microbatch {
  const { graph, loss } = spec;
  const normal = seededNormal(seed);
  const numbers = seededNumbers(seed + 1);
  const inputs = graph.inputs.map((place) => {
    const { operation, shape } = graph.nodes[place]!;
    const length = examples * elementsOf(shape);
    if (operation.type === 'input' && operation.dtype === 'int32') {
      const vocabularies = graph.nodes.flatMap(({ operation: o }) =>
        o.type === 'embedding' ? [o.vocabulary] : [],
      );
      return Int32Array.from({ length }, () => numbers.below(Math.min(...vocabularies)));
    }
    return Float32Array.from({ length }, normal);
  });
  const shape = graph.nodes[graph.output]!.shape;
  const classes = shape.at(-1)!;
  const rows = (examples * elementsOf(shape)) / classes;
  const targets = new Float32Array(rows * classes);
  const sparse = Int32Array.from({ length: rows }, () => numbers.below(classes));
  if (loss.name === 'categoricalCrossentropy') sparse.forEach((k, row) => (targets[row * classes + k] = 1));
  if (loss.name === 'binaryCrossentropy') targets.forEach((_, i) => (targets[i] = numbers.below(2)));
  if (loss.name === 'meanSquaredError') targets.forEach((_, i) => (targets[i] = normal()));
  return {
    examples,
    inputs,
    targets: loss.name === 'sparseCategoricalCrossentropy' ? sparse : targets,
    exampleIds: Uint32Array.from({ length: examples }, (_, i) => firstId + i),
    step: 0,
  };
}

const plainSgd = { name: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 } as const;

/** An engine's settings with everything that a test does not care about. */
export function specOf(graph: LayerGraph, some: Partial<EngineSpec> = {}): EngineSpec {
  return {
    graph,
    loss: { name: 'meanSquaredError', fromLogits: false },
    metrics: [],
    optimizer: plainSgd,
    microbatchSize: 4,
    bucketBytes: 2 ** 30,
    seed: 7,
    syncBatchNorm: false,
    ...some,
  };
}

/** The whole reduction, from its buckets. */
export async function readReduction(engine: TrainingEngine): Promise<Float32Array> {
  const all = new Float32Array(engine.layout.reductionLength);
  for (const [index, { offset }] of engine.layout.buckets.entries())
    all.set(await engine.readBucket(index), offset);
  return all;
}

/** Largest difference, as a share of the largest value. */
export function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let most = 0;
  let largest = 1e-6;
  for (let i = 0; i < expected.length; i += 1) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    // NaN must not pass.
    if (!(difference <= most)) most = difference;
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return most / largest;
}
