// What is asked of the coordinator to start a run, and what comes back while it goes on. The trainer makes requests;
// the run driver (coordinator/run) carries them out on groups drawn from the pool of workers.

import type { DatasetSummary } from '../../../shared/api/datasetAnswers.ts';
import type { Lease, WorkerMessageOf } from '../../../shared/protocol/control.ts';
import type { RunSpec } from '../../../shared/run/runSpec.ts';

/** A shard as it is planned: a lease before anybody holds it. */
export type Shard = Lease;

export interface WorkerDemand {
  /** The run waits, and says so, while fewer workers than this are there. */
  readonly min: number;
  /** No more workers than this take part. */
  readonly max: number;
  /** Any of these; without it any at all. */
  readonly runtimes?: readonly ('browser' | 'deno' | 'node')[];
  readonly device?: 'cpu' | 'webgpu';
}

export interface RunRequest {
  readonly runId: string;
  readonly name: string;
  readonly spec: RunSpec;
  /** Every shard of every dataset; their blobs are in the coordinator's blob store. */
  readonly shards: readonly Shard[];
  /** What the owner tells of the datasets; of all, of some or of none. */
  readonly datasets?: readonly DatasetSummary[];
  readonly workers: WorkerDemand;
  /** Worker failures that the run forgives (a lost worker is not one: it is replaced); -1 forgives any number. */
  readonly maxFailures: number;
  /**
   * What it takes, beside the spec and the record, to make a model for those who ask the coordinator for one: of trees
   * shared/gbdt/model/modelParts.ts, of nets their inputs. Without it they are told that only the run's owner can.
   */
  readonly modelParts?: unknown;
  /** Called with each committed round, in order; true ends the run after this round (early stopping). */
  readonly shouldStop?: (round: CommittedRound) => boolean;
}

/** A round as the record keeps it, whatever the kind of run. */
export interface CommittedRound {
  readonly round: number;
  /** What a worker says that its kind of run records of a round: encoded trees (shared/gbdt); nothing of steps of nets. */
  readonly payload: readonly unknown[];
  readonly metrics: Readonly<Record<string, number>>;
}

export type RunEvent =
  | { readonly type: 'waiting'; readonly reason: string }
  | {
      readonly type: 'loading';
      readonly rowsLoaded: number;
      readonly rowsTotal: number;
    }
  | {
      readonly type: 'group';
      readonly generation: number;
      readonly workers: readonly {
        workerId: string;
        runtime: string;
        device: string;
        rows: number;
      }[];
      /** Why workers that are there take no part, where that is so. */
      readonly note?: string;
    }
  | {
      readonly type: 'round';
      readonly committed: CommittedRound;
      readonly timings: readonly RoundTiming[];
    }
  | ({ readonly type: 'checkpoint' } & SavedState)
  /** Where the time of the last step went, for an owner who asked; in the blob store. */
  | { readonly type: 'profiled'; readonly sha256: string; readonly sizeBytes: number }
  | {
      readonly type: 'workerLost';
      readonly workerId: string;
      readonly reason: string;
      readonly shards: number;
    }
  | { readonly type: 'workerJoined'; readonly workerId: string }
  /** A lie was found: the rounds from here on do not count, and are done again. */
  | {
      readonly type: 'undone';
      /** Rounds that stay. */
      readonly rounds: number;
      readonly reason: string;
      /** Where the members hold the state: the stored one that counts; absent: the first. */
      readonly savedState?: SavedState;
    };

/** State of a run that is in the blob store. */
export interface SavedState {
  /** Rounds (steps) that it has behind it. */
  readonly rounds: number;
  readonly sha256: string;
  readonly sizeBytes: number;
}

export type RoundTiming = Pick<WorkerMessageOf<'committed'>, 'computeMs' | 'exchangeMs' | 'bytesSent'> & {
  readonly workerId: string;
};

export interface RunOutcome {
  readonly status: 'finished' | 'stopped';
  readonly rounds: readonly CommittedRound[];
}

export interface RunHandle {
  readonly runId: string;
  /** Calls back for every event from now on; returns the function that ends it. */
  onEvent(listener: (event: RunEvent) => void): () => void;
  /** Rejects with a TabgradError when the run fails. */
  readonly done: Promise<RunOutcome>;
  /** Whether the run goes on, as far as is known, without a follower; without it runs end with this process. */
  mayGoOn?(): boolean;
  /** Ends the run after the round in flight; `done` resolves with status "stopped". */
  stop(reason: string): void;
}
