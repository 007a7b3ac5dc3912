// What computes the steps of a training run, on any device. The run's logic (client/neural) speaks to this interface; the
// compiled WebGPU program, its plain reference on the processor and tfjs's autodiff implement it.

import type { DeviceKind } from '../../kernels/deviceKinds.ts';
import type { OptimizerSpec } from '../../kernels/neural/optimizer.ts';
import type { LayerGraph, Shape } from './layerGraph.ts';

/** Of the sparse one the targets are class indices. */
export const lossNames = [
  'binaryCrossentropy',
  'categoricalCrossentropy',
  'meanSquaredError',
  'sparseCategoricalCrossentropy',
] as const;

export type LossName = (typeof lossNames)[number];

export interface LossSpec {
  readonly name: LossName;
  /** The model's output is logits; else probabilities (a softmax or sigmoid before the loss is fused with it). */
  readonly fromLogits: boolean;
}

export const metricNames = ['accuracy', 'meanAbsoluteError', 'meanSquaredError'] as const;

export type MetricName = (typeof metricNames)[number];

export interface EngineSpec {
  readonly graph: LayerGraph;
  readonly loss: LossSpec;
  readonly metrics: readonly MetricName[];
  readonly optimizer: OptimizerSpec;
  /** Most examples of one microbatch; batch statistics are over one microbatch. */
  readonly microbatchSize: number;
  /** Gradients are scaled down to this norm over all parameters (after averaging), or cut to ±clipValue. */
  readonly clipNorm?: number;
  readonly clipValue?: number;
  /** Target size of one piece of the reduction; PyTorch's default is 25 MB. */
  readonly bucketBytes: number;
  /** Seed of dropout. */
  readonly seed: number;
  /** Batch statistics are over a microbatch of every member: `accumulate` is then given `reduceStatistics`. */
  readonly syncBatchNorm: boolean;
}

/** Where a weight lies in its section's flat array. */
export interface ParameterSlot {
  readonly name: string;
  readonly shape: Shape;
  readonly section: 'parameters' | 'statistics';
  /** In elements. */
  readonly offset: number;
  readonly length: number;
}

/**
 * State as flat f32 arrays. `parameters`: what is trained. `statistics`: moving means and variances. `optimizer`: the
 * optimizer's slots one after another, each as long as `parameters` (Adam: m, then v; SGD with momentum: v).
 * Frozen weights are parameters whose gradient stays zero.
 */
export type StateSection = 'optimizer' | 'parameters' | 'statistics';

export interface EngineLayout {
  readonly slots: readonly ParameterSlot[];
  readonly lengths: Readonly<Record<StateSection, number>>;
  /**
   * What is added up over microbatches and members: gradients (as `parameters`), then batch statistics (as `statistics`),
   * in elements of one flat array. Buckets are parts of it in the order in which the backward pass completes them.
   */
  readonly reductionLength: number;
  readonly buckets: readonly {
    readonly offset: number;
    readonly length: number;
  }[];
}

/** Bytes on the device by what they are for. */
export interface MemoryReport {
  readonly parameters: number;
  readonly gradients: number;
  readonly optimizer: number;
  readonly activations: number;
  readonly workspace: number;
  readonly staging: number;
  readonly total: number;
}

export type TargetValues = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

export interface Microbatch {
  readonly examples: number;
  /** One array an input of the graph: [examples, ...shape]. */
  readonly inputs: readonly TargetValues[];
  /** Class indices (Int32Array [examples]) for the sparse loss, else [examples, ...output shape]. */
  readonly targets: TargetValues;
  /** Position of each example in the whole dataset: dropout hashes (seed, step, example, element). */
  readonly exampleIds: Uint32Array<ArrayBuffer>;
  /** Counted from 0 over the whole run. */
  readonly step: number;
}

export interface AccumulateOptions {
  /**
   * No microbatch of this step follows here, and its buckets will be read: they are fetched as soon as the backward pass
   * completes them. Who doesn't read them says false.
   */
  readonly isLast: boolean;
  /** With syncBatchNorm: sums `values` over the members, in place. Called once a batch-norm layer and direction. */
  readonly reduceStatistics?: (values: Float32Array<ArrayBuffer>) => Promise<void>;
}

export interface UpdateOptions {
  readonly learningRate: number;
  /** Counted from 0 over the whole run (Adam's bias correction is that of step + 1). */
  readonly step: number;
  /** Examples of the whole step, all members: gradients are divided by it. */
  readonly examples: number;
  /** Microbatches of the whole step, all members: batch statistics are divided by it. */
  readonly microbatches: number;
}

/** Sums over examples since they were last taken. */
export interface Totals {
  readonly examples: number;
  /** Without penalties. */
  readonly loss: number;
  readonly metrics: Readonly<Partial<Record<MetricName, number>>>;
  /** Of the weights that are trained, as they are now: l1 · Σ|w| + l2 · Σw². No sum over examples. */
  readonly penalty: number;
}

/** One line of a profile: an op of the program, with the time of its last runs. */
export interface ProfileEntry {
  readonly name: string;
  readonly layer: string;
  readonly phase: 'backward' | 'forward' | 'update';
  readonly startNs: number;
  readonly endNs: number;
  readonly flop: number;
  readonly bytes: number;
}

/**
 * Computes steps. Calls are carried out in the order in which they are made. Every call rejects with DEVICE_LOST or
 * DEVICE_FAILED when the device can't go on; `lost` then resolves.
 */
export interface TrainingEngine {
  readonly kind: DeviceKind | 'tfjs';
  readonly layout: EngineLayout;
  readonly memory: MemoryReport;
  /** Resolves with the reason when the device is lost. */
  readonly lost: Promise<string>;
  /** Replaces a section of the state. @throws RangeError on another length. */
  write(section: StateSection, values: Float32Array): void;
  read(section: StateSection): Promise<Float32Array<ArrayBuffer>>;
  /** Sets the reduction and its totals to zero. */
  clear(): void;
  /**
   * Forward and backward of one microbatch: adds the sum of its examples' gradients, and its batch statistics once, to the
   * reduction. Resolves when the next call may be made (bounded work in flight), not when the device is done.
   */
  accumulate(batch: Microbatch, options: AccumulateOptions): Promise<void>;
  /** A bucket of this step's reduction; resolves as soon as it is complete, while the rest is still being computed. */
  readBucket(index: number): Promise<Float32Array<ArrayBuffer>>;
  /** Replaces a bucket by what the group summed up. */
  writeBucket(index: number, values: Float32Array): void;
  /** Applies the reduction to parameters, statistics and optimizer state, and clears it. */
  update(options: UpdateOptions): void;
  /** Loss and metrics of the microbatches accumulated since the last take. One small read. */
  takeTotals(): Promise<Totals>;
  /** Loss and metrics without training: moving statistics, no dropout. At most microbatchSize examples. */
  evaluate(batch: Omit<Microbatch, 'exampleIds' | 'step'>): Promise<Totals>;
  /** The model's output [examples, ...output shape], as `evaluate` computes it. */
  predict(inputs: readonly TargetValues[], examples: number): Promise<Float32Array<ArrayBuffer>>;
  /** The first layer, in forward order, whose output is not finite for this batch, with which phase; undefined if none. */
  findNonFinite(
    batch: Microbatch,
  ): Promise<{ readonly layer: string; readonly phase: 'backward' | 'forward' } | undefined>;
  /** Timings of the ops since `profile` was last called; empty where the device has no timestamps. */
  profile(): Promise<readonly ProfileEntry[]>;
  /** Frees everything on the device. */
  close(): Promise<void>;
}
