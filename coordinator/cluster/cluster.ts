// Where an owner's work happens: a coordinator that is up already, or one in this process with workers on this machine.
// Runs, trials and programs see these interfaces alone; tests put their own behind them.

import type { BlobReference } from '../../shared/neural/run/neuralSpec.ts';
import type { BlobSink } from '../core/blobs/blobStore.ts';
import type { CheckResults } from '../core/programs/checkResults.ts';
import type { SlotSource } from '../core/programs/programPipe.ts';
import type { RunHandle, RunRequest } from '../core/run/runRequest.ts';
import type { ExperimentRecord } from '../core/store/experimentRecord.ts';

export interface FoundRun {
  /** Its events from the first one on. */
  follow(): RunHandle;
}

/** As much of it as a run needs. */
export interface RunCluster {
  /** Address of the coordinator, or what stands for it. */
  readonly url: string;
  readonly blobs: BlobSink;
  /** Bytes that a worker has stored. */
  readBlob(blob: BlobReference): Promise<Uint8Array>;
  /** Resolves when the coordinator took the run. */
  startRun(request: RunRequest): Promise<RunHandle>;
  /**
   * A run that was asked for earlier, also one that has ended. Only where runs go on without the process that asked for them.
   * @throws RemoteError with RUN_UNKNOWN
   */
  findRun?(runId: string): Promise<FoundRun>;
  /** Ends what was started for this work. Idempotent. */
  close(): Promise<void>;
}

/** As much of it as programs need: the coordinator that has the workers, and its blobs. */
export interface ProgramCluster {
  readonly slots: SlotSource;
  readonly blobs: BlobSink;
}

/** The same where what strangers answer is checked. */
export interface CheckingCluster extends ProgramCluster {
  readonly checkResults: CheckResults;
}

export interface Cluster extends RunCluster, CheckingCluster {
  /** The coordinator's record of tuning experiments. */
  readonly experiments: ExperimentRecord;
  /**
   * Makes sure that there are so many workers, or that they are on their way; nothing where workers come by themselves.
   * @param min fewest workers that the work can go on with.
   * @throws TrainArgumentError for more than one machine should start.
   */
  ensureWorkers(count: number, min: number): void;
  /** Resolves when all local workers have joined that were asked for. @throws what one could not be started for. */
  ready(): Promise<void>;
  /** Workers that no run and no program has; undefined where that is not known. */
  freeWorkers(): number | undefined;
  /** Rejects when its local workers are gone for good; never resolves. */
  readonly lost: Promise<never>;
}
