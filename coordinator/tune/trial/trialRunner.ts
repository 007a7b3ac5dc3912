// How one piece of a trial's work is done: what it gets, and whom it tells.

import type { Metrics } from '../../train/result.ts';
import type { TrialCheckpoint } from './trial.ts';

/** A piece of a trial: from its beginning or a checkpoint to its end, or until it is interrupted. */
export interface TrialPiece {
  readonly id: string;
  readonly index: number;
  readonly config: Record<string, unknown>;
  /** Absolute path of the experiment's folder; the trial's is in it, under its id. */
  readonly experimentFolder: string;
  /** What to go on from. */
  readonly checkpoint: TrialCheckpoint | undefined;
  /** Ends the work at once, as far as that is possible. */
  readonly signal: AbortSignal;
}

/** Callbacks of one trial. */
export interface TrialCallbacks {
  /** It can't go on yet. */
  waiting(reason: string): void;
  /** A coordinator has taken its work as this run. */
  run(runId: string): void;
  /** It has what it needs, and works. */
  working(): void;
  /** An iteration is done. With "stop" it is the last one. */
  report(iteration: number, metrics: Metrics): 'continue' | 'stop';
  /** Resolves when the last report is on disk. */
  recorded(): Promise<void>;
  checkpoint(checkpoint: TrialCheckpoint): void;
}

export interface TrialRunner {
  /** How many trials make sense at once, as far as is known before any has begun. */
  readonly defaultConcurrency: number;
  /** Resolves at the end of the trial, or when `report` answered "stop" and the work has ended. */
  run(piece: TrialPiece, callbacks: TrialCallbacks): Promise<void>;
  close(): Promise<void>;
}
