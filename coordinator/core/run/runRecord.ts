// What of a run is kept, and where: facts in the order in which they became true. The store (coordinator/store) keeps
// them in SQL; the run knows this interface alone.

import type { CommittedRound, RunEvent, RunRequest, SavedState } from './runRequest.ts';

/** An event as it is kept and sent to other processes: rounds without their trees, which are in the outcome. */
export type ReportedEvent =
  | Exclude<RunEvent, { type: 'round' }>
  | {
      readonly type: 'round';
      readonly round: number;
      readonly metrics: Readonly<Record<string, number>>;
      readonly timings: Extract<RunEvent, { type: 'round' }>['timings'];
    }
  | {
      readonly type: 'end';
      readonly status: RunStatus;
      readonly error?: RunFailure;
    };

export interface NumberedEvent {
  /** Counts from 1 within the run, also over restarts of the coordinator. */
  readonly sequence: number;
  readonly event: ReportedEvent;
  /** Milliseconds since 1970; absent where an earlier version of the coordinator kept it. */
  readonly atMs?: number;
}

interface RunFailure {
  readonly code: string;
  readonly message: string;
}

export type RunStatus = 'running' | 'finished' | 'stopped' | 'failed';

export interface RunSummary {
  readonly runId: string;
  readonly name: string;
  readonly status: RunStatus;
  readonly phase: string;
  readonly generation: number;
  readonly rounds: number;
  /** Rounds that it will have in all; steps, for neural nets. */
  readonly totalRounds: number;
  readonly workers: readonly string[];
  /** What it waits for, while it waits. */
  readonly waiting?: string;
  readonly lastMetrics?: Readonly<Record<string, number>>;
  readonly error?: RunFailure;
}

/** A place in a group, as far as it matters after a restart. */
export interface SavedMember {
  readonly workerId: string;
  readonly peerId: string;
  /** Not started by the owner. Absent: it was, or an earlier version kept it. */
  readonly isStranger?: true;
  /** Positions of its leases in the request's list of shards. */
  readonly shards: readonly number[];
}

/** Something about a run that must not be forgotten once anybody was told. */
export type RunFact =
  | { readonly type: 'started'; readonly request: RunRequest }
  | {
      readonly type: 'group';
      readonly generation: number;
      readonly members: readonly SavedMember[];
    }
  | { readonly type: 'round'; readonly committed: CommittedRound }
  /** Rounds from this one on do not count any more. */
  | { readonly type: 'undone'; readonly rounds: number }
  | { readonly type: 'event'; readonly event: ReportedEvent }
  | {
      readonly type: 'end';
      readonly status: RunStatus;
      readonly error?: RunFailure;
    };

/** Facts in the form in which they are written, all at once or not at all. */
export interface RunRows {
  readonly started?: {
    readonly request: RunRequest;
    readonly attended: boolean;
    readonly atMs: number;
  };
  readonly group?: {
    readonly generation: number;
    readonly members: readonly SavedMember[];
  };
  /** Rounds from this one on go first. */
  readonly undone?: number;
  readonly rounds: readonly CommittedRound[];
  readonly events: readonly NumberedEvent[];
  readonly end?: {
    readonly status: RunStatus;
    readonly atMs: number;
    readonly error?: RunFailure;
  };
}

/** A run as an earlier life of the coordinator left it. */
export interface SavedRun {
  readonly request: Omit<RunRequest, 'shouldStop'>;
  /** Its owner's functions went with the process that started it. */
  readonly attended: boolean;
  readonly generation: number;
  /** By rank. */
  readonly members: readonly SavedMember[];
  readonly rounds: readonly CommittedRound[];
  readonly announcedRounds: number;
  readonly savedState?: SavedState;
  readonly lastSequence: number;
}

export interface RunRecord {
  /** Resolves when the rows are safe. @throws RunExistsError, StorageFullError, StorageError */
  append(runId: string, rows: RunRows): Promise<void>;
  /** Resolves when something could be written to the run's record. @throws StorageFullError, StorageError */
  touch(runId: string): Promise<void>;
  /** Runs that have not ended, in order of starting. */
  unfinished(): Promise<SavedRun[]>;
  /** The last runs that ended, in order of starting. */
  ended(limit: number): Promise<RunSummary[]>;
  summary(runId: string): Promise<RunSummary | undefined>;
  /** SHA-256 of the last states of runs that ended after a time (ms since 1970): of the last `limit` ones. */
  lastStates(endedAfterMs: number, limit: number): Promise<string[]>;
  rounds(runId: string): Promise<CommittedRound[]>;
  lastRound(runId: string): Promise<CommittedRound | undefined>;
  /** Events after the one numbered `after`, oldest first. */
  events(runId: string, after: number, limit: number): Promise<NumberedEvent[]>;
}
