// The owner's own training loop over tensors: a function that every member of the group runs, in Ray's style, written with
// tfjs.

import type * as tfjs from '@tensorflow/tfjs';

/** One tensor, a list of them, or some by name. */
export type Tensors = tfjs.Tensor | readonly tfjs.Tensor[] | Readonly<Record<string, tfjs.Tensor>>;

export interface IterBatchesOptions {
  readonly batchSize: number;
  /** Rows are mixed anew in each epoch, the same way for the same seed. Default 0. */
  readonly epoch?: number;
  /** Leaves out the last batch when it is smaller than the others. Default false. */
  readonly dropLast?: boolean;
}

/** A member's rows of a dataset. */
export interface DatasetShard {
  /** Rows of one epoch, the same number at every member; up to size − 1 rows of the dataset are left out for that. */
  readonly rows: number;
  /** Rows of the whole dataset. */
  readonly totalRows: number;
  /** Batches by column, as tensors [rows, ...shape]. They are disposed of when the next batch is asked for. */
  iterBatches(options: IterBatchesOptions): AsyncIterableIterator<Record<string, tfjs.Tensor>>;
}

/** What a loop wants kept. Rank 0's is; the others' are left alone. */
export interface CheckpointContents {
  /** Kept as model.json and weights.bin, which tfjs loads. */
  readonly model?: tfjs.LayersModel;
  /** float32, kept as tensors.safetensors. */
  readonly tensors?: Readonly<Record<string, tfjs.Tensor>>;
  /** Plain JSON, kept as state.json. */
  readonly state?: unknown;
}

/** The checkpoint of the last report that had one. */
export interface LoopCheckpoint {
  /** A new model with the kept weights. Rejects when none was kept. */
  loadModel(): Promise<tfjs.LayersModel>;
  /** New tensors. */
  tensors(): Record<string, tfjs.Tensor>;
  readonly state: unknown;
}

/** Its functions may be taken out of it. */
export interface DataParallelContext {
  readonly rank: number;
  readonly size: number;
  /** tfjs, on the WebGPU backend where this worker has an adapter. */
  readonly tf: typeof tfjs;
  /** Reports that are committed. Not zero when the loop is called again in a changed group. */
  readonly reports: number;
  /** @param name one of the trainer's datasets; `train` when left out. */
  readonly getDatasetShard: (name?: string) => DatasetShard;
  /**
   * Sums tensors (float32) over all members, or takes their mean (the default). Every member ends with the same bits.
   * @returns new tensors in the form that was given.
   */
  readonly allReduce: <T extends Tensors>(tensors: T, operation?: 'mean' | 'sum') => Promise<T>;
  /** The root's values at every member, which must all give tensors of the same shapes. @returns new tensors. */
  readonly broadcast: <T extends Tensors>(tensors: T, root?: number) => Promise<T>;
  readonly barrier: () => Promise<void>;
  /**
   * Commits what has been done so far: rank 0's metrics go to the owner, rank 0's checkpoint is kept at every member. A
   * barrier: a member that is missing is named after a time, one that has returned instead at once.
   */
  readonly report: (
    metrics: Readonly<Record<string, number>>,
    checkpoint?: CheckpointContents,
  ) => Promise<void>;
  /** Where to go on from; undefined at the beginning. */
  readonly getCheckpoint: () => LoopCheckpoint | undefined;
}

/**
 * Must report equally often at every member, and go on from the checkpoint: when the group changes, or the run is resumed,
 * the function is called again. Returning ends the run.
 */
export type DataParallelLoop<Config = unknown> = (
  config: Config,
  context: DataParallelContext,
) => Promise<void> | void;
