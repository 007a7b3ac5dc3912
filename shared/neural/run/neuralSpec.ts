// Everything the members of a neural run must agree on before they train: one JSON blob, content-addressed, made by the
// coordinator from the owner's model, options and prepared data. Plain JSON values only.

import type { OptimizerSpec } from '../../../kernels/neural/optimizer.ts';
import type { LossSpec, MetricName } from '../trainingEngine.ts';
import type { LearningRateSchedule } from './learningRate.ts';

/** Bytes in the coordinator's blob store. */
export interface BlobReference {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** How the values of one row lie in a shard, and what they become. */
export interface TensorField {
  readonly name: string;
  /** Without the batch. */
  readonly shape: readonly number[];
  /** As it is stored. */
  readonly storage: 'float32' | 'int32' | 'uint8';
  /** What the engine takes. */
  readonly dtype: 'float32' | 'int32';
  /** Floats are stored values times `scale`, plus `offset` (0 when left out). */
  readonly scale: number;
  readonly offset?: number;
}

export interface TensorShard extends BlobReference {
  readonly rows: number;
}

/** Rows of fixed shape, cut into shards of equal length but for the last. */
export interface TensorDataset {
  readonly rows: number;
  /** Rows of every shard but the last. */
  readonly shardRows: number;
  /** In the order of the model's inputs. */
  readonly inputs: readonly TensorField[];
  readonly target: TensorField;
  readonly shards: readonly TensorShard[];
}

export const gradientCodecs = ['f32', 'f16', 'int8'] as const;
export type GradientCodec = (typeof gradientCodecs)[number];

/**
 * Members make steps of their own, and an outer step brings them together (DiLoCo, Douillard et al. 2023): with Δ the mean of
 * what the members' steps took off the parameters, v ← momentum·v + Δ, w ← w − rate·(Δ + momentum·v).
 */
export interface LocalSteps {
  /** Steps between two outer steps. */
  readonly steps: number;
  readonly outerLearningRate: number;
  readonly outerMomentum: number;
}

/** Contributions to a sum are cut to this distance from their centre (client/neural/run/centeredClip.ts). */
export interface CenteredClipSpec {
  /** In median distances. */
  readonly radius: number;
  readonly iterations: number;
}

export interface NeuralSpec {
  readonly trainer: 'neural';
  /** A tf.LayersModel's topology. */
  readonly topology: unknown;
  /** Which layers tfjs's autodiff is needed for; the compiled engine does the run when there are none. */
  readonly engine: 'compiled' | 'tfjs';
  /** State that the run begins with. */
  readonly initialState: BlobReference;
  /** Steps that the initial state has behind it. */
  readonly firstStep: number;
  /** Steps that the final state has behind it. */
  readonly steps: number;
  readonly loss: LossSpec;
  readonly metrics: readonly MetricName[];
  readonly optimizer: OptimizerSpec;
  readonly learningRate: LearningRateSchedule;
  readonly clipNorm?: number;
  readonly clipValue?: number;
  readonly globalBatchSize: number;
  readonly microbatchSize: number;
  readonly seed: number;
  readonly bucketBytes: number;
  readonly gradientCodec: GradientCodec;
  readonly syncBatchNorm: boolean;
  /** Without it every step is one over all members. */
  readonly localSteps?: LocalSteps;
  readonly train: TensorDataset;
  readonly valid?: TensorDataset;
  /** Metrics reach the coordinator every so many steps; without it about four times a second. */
  readonly reportEverySteps?: number;
  /** The state is kept by the coordinator every so many steps, and at the end. */
  readonly checkpointEverySteps: number;
  /** Whether parameters are compared among the members after every step, or with the reports alone. */
  readonly verifyEveryStep: boolean;
  /** Without it contributions are added up as they are. */
  readonly centeredClip?: CenteredClipSpec;
  /** Where strangers take part, one step in so many is done again with other roles, on average; 0: none. */
  readonly checkEverySteps?: number;
  /** The first rank times the ops and the exchange of the last step. */
  readonly profile?: boolean;
  /** Workers with WebGPU time tiles of their products before the first step, unless they know them already. */
  readonly tuneKernels?: boolean;
}
