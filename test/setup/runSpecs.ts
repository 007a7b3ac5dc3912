// Whole specs of small runs, for tests that start one over HTTP and compute nothing of it.

import { buildTrainSpec } from '../../shared/gbdt/buildTrainSpec.ts';
import { resolveParams } from '../../shared/gbdt/params.ts';
import type { TrainSpec } from '../../shared/gbdt/trainSpec.ts';
import type { LoopSpec } from '../../shared/neural/loop/loopSpec.ts';
import type { NeuralSpec } from '../../shared/neural/run/neuralSpec.ts';

const blob = { sha256: 'a'.repeat(64), sizeBytes: 4 };

/** Trees of one feature. */
export function treeSpec(numBoostRound: number): TrainSpec {
  return buildTrainSpec({
    params: resolveParams({}),
    numBoostRound,
    features: [{ name: 'x', cuts: { categorical: false, cuts: Float32Array.of(0.5), belowAll: -1 } }],
    target: { maxAbsLabel: 1, maxWeight: 1 },
    trainRows: 1,
    evaluationSets: [],
  });
}

/** A net on one row of one target and no input. */
export function netSpec(steps: number, change: Partial<NeuralSpec> = {}): NeuralSpec {
  return {
    trainer: 'neural',
    topology: {},
    engine: 'compiled',
    initialState: blob,
    firstStep: 0,
    steps,
    loss: { name: 'meanSquaredError', fromLogits: false },
    metrics: [],
    optimizer: { name: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 },
    learningRate: { initial: 0.1, warmupSteps: 0, decay: { kind: 'constant' } },
    globalBatchSize: 8,
    microbatchSize: 1,
    seed: 0,
    bucketBytes: 1024,
    gradientCodec: 'f32',
    syncBatchNorm: false,
    train: oneRow(),
    checkpointEverySteps: steps,
    verifyEveryStep: false,
    ...change,
  };
}

/** A loop that does nothing. */
export function loopSpec(): LoopSpec {
  return {
    trainer: 'loop',
    code: { kind: 'text', source: '() => {}' },
    config: null,
    datasets: { train: oneRow() },
    seed: 0,
    timeoutMs: 1000,
    maxReports: 1,
  };
}

function oneRow(): NeuralSpec['train'] {
  const target = { name: 'y', shape: [1], storage: 'float32', dtype: 'float32', scale: 1 } as const;
  return { rows: 1, shardRows: 1, inputs: [], target, shards: [{ ...blob, rows: 1 }] };
}
