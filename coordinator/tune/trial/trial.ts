// A trial as the experiment keeps it, and as experiment.json has it.

import type { Metrics } from '../../train/result.ts';
import type { Assignment } from '../space/searchSpace.ts';

/**
 * pending: not begun, or interrupted and to be gone on with. waiting: its turn has come, its workers have not.
 * paused: at the end of a generation, until all trials are. finished: came to its end, or was stopped before it
 * (`stopReason`).
 */
export type TrialStatus = 'pending' | 'waiting' | 'running' | 'paused' | 'finished' | 'errored';

export interface TrialReport {
  /** Counts from 1. */
  readonly iteration: number;
  readonly metrics: Metrics;
  /** Time that the trial was at work until then. */
  readonly elapsedMs: number;
}

export interface TrialCheckpoint {
  /** Folder or file, relative to the experiment's folder. */
  readonly path: string;
  readonly iteration: number;
  /** Of nets, whose checkpoints are named by steps and whose iterations are epochs. */
  readonly roundsPerIteration?: number;
}

/** What a trial gave up for another's checkpoint. */
interface GivenUp {
  readonly source: number;
  readonly checkpoint: TrialCheckpoint;
  readonly assignment: Assignment;
}

export interface Trial {
  readonly index: number;
  /** Also the name of its folder. */
  readonly id: string;
  assignment: Assignment;
  status: TrialStatus;
  reports: TrialReport[];
  checkpoint?: TrialCheckpoint;
  /** Iteration at which it last went on into a new generation. */
  renewedAt?: number;
  /** Its own, until it has reported with another's: where there is nothing left to do, its own stays. */
  givenUp?: GivenUp;
  /** Why it ended before its end. */
  stopReason?: string;
  /** Iteration at which a scheduler stopped it. */
  prunedAt?: number;
  /** The run that trains it, or did last. */
  runId?: string;
  error?: { readonly code: string; readonly message: string };
  /** Failures that were forgiven. */
  failures: number;
  /** Time at work in earlier pieces, when it was interrupted. */
  workedMs: number;
  /** What it waits for, while it is waiting or paused. */
  waiting?: string;
}

export function newTrial(index: number, assignment: Assignment): Trial {
  return {
    index,
    id: `trial_${String(index).padStart(5, '0')}`,
    assignment,
    status: 'pending',
    reports: [],
    failures: 0,
    workedMs: 0,
  };
}

export function isOver({ status }: Trial): boolean {
  return status === 'finished' || status === 'errored';
}

/** What comes after the checkpoint is done again, and reported again. */
export function dropUnsaved(trial: Trial): void {
  trial.reports = trial.reports.filter(({ iteration }) => iteration <= (trial.checkpoint?.iteration ?? 0));
}

/** There was nothing left to do with what it took over: its own result is the truth. */
export function undoTakeOver(trial: Trial): void {
  if (!trial.givenUp) return;
  trial.checkpoint = trial.givenUp.checkpoint;
  trial.assignment = trial.givenUp.assignment;
  delete trial.givenUp;
}

/** Whether the report of this iteration counts. A trial that is done again may have a bound that it has not reached yet. */
export function mayReport({ prunedAt, stopReason }: Trial, iteration: number): boolean {
  return prunedAt === undefined ? stopReason === undefined : iteration <= prunedAt;
}

/** Ends the trial with an iteration that it may have passed: what it did since, a failure too, is dropped. */
export function prune(trial: Trial, iteration: number, reason: string): void {
  trial.stopReason = reason;
  trial.prunedAt = iteration;
  trial.reports = trial.reports.filter((report) => report.iteration <= iteration);
  delete trial.error;
}
