// What a fit returns, and what it leaves in result.json.

import type { ErrorPlace } from '../../kernels/errors.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { ResultPlotOptions } from '../plot/plotOptions.ts';

/** Values by name, e.g. "valid-auc". */
export type Metrics = Readonly<Record<string, number>>;

/** Where the time of a run went, in milliseconds. */
export interface RunTimings {
  /** Reading, checking, binning and storing the data. */
  readonly prepareMs: number;
  /** Waiting for workers: from then until the first group was at work, and whenever too few were left. */
  readonly waitMs: number;
  readonly trainMs: number;
  readonly totalMs: number;
}

/** A worker of the last generation of a run. */
export interface RunWorker {
  readonly workerId: string;
  readonly runtime: string;
  readonly device: string;
  /** Training rows that it held in the last generation. */
  readonly rows: number;
}

/** The content of result.json. Paths are relative to its folder, so that the folder can be moved. */
export interface ResultRecord {
  readonly status: 'finished' | 'stopped' | 'failed';
  readonly name: string;
  readonly runId: string;
  readonly error?: { readonly code: string; readonly message: string; readonly place?: ErrorPlace };
  /** Rounds in the model, those of a model it went on from included. */
  readonly rounds: number;
  /** Of the last round. */
  readonly metrics: Metrics;
  /** Of the best round by `scoreMetric`. */
  readonly bestMetrics: Metrics;
  /** Counted from 0 in the model, rounds of a model it went on from included. */
  readonly bestIteration?: number;
  readonly bestScore?: number;
  /** The last metric of the last evaluation set. */
  readonly scoreMetric?: string;
  readonly checkpoint?: string;
  readonly checkpoints: readonly string[];
  readonly timings: RunTimings;
  readonly workers: readonly RunWorker[];
  readonly workersLost: number;
  readonly datasetRows: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
  readonly params: Readonly<Record<string, unknown>>;
  /** Rounds, steps or reports that the run was to have in all. */
  readonly totalRounds: number;
}

/** What a fit that did not fail returns. */
export interface Result extends Omit<ResultRecord, 'checkpoint' | 'checkpoints' | 'error'> {
  /** Absolute path of the run's folder. */
  readonly path: string;
  /** The last checkpoint. */
  readonly checkpoint: Checkpoint;
  /** All that were kept, oldest first. */
  readonly checkpoints: readonly Checkpoint[];
  /** Metrics of every round of this fit, in order. */
  readonly metricsTable: readonly (Metrics & { readonly round: number })[];
  /**
   * Writes learning curves, and of trees the importance of features, as one file without anything from elsewhere: a picture
   * (.svg), or a page (.html) with the numbers too. No part of copies of the result: `plotResult` does the same with those.
   * @returns the absolute path of the file.
   * @throws PlotArgumentError; ResultWriteError; CheckpointError, ModelFormatError where the checkpoint is gone or damaged.
   */
  plot(path: string, options?: ResultPlotOptions): Promise<string>;
}

/** The metrics of a row of a metrics table. */
export function metricsOf(row: Metrics | undefined): Metrics {
  return Object.fromEntries(Object.entries(row ?? {}).filter(([name]) => name !== 'round'));
}
