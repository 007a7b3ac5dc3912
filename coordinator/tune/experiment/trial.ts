// A trial as the experiment keeps it, and as experiment.json has it.

import type { Metrics } from '../../train/result.ts';
import type { Assignment } from '../space/searchSpace.ts';

/**
 * pending: not begun, or interrupted and to be gone on with. waiting: its turn has come, its workers have not.
 * finished: came to its end, or was stopped before it (`stopReason`).
 */
export type TrialStatus = 'pending' | 'waiting' | 'running' | 'finished' | 'errored';

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
}

export interface Trial {
  readonly index: number;
  /** Also the name of its folder. */
  readonly id: string;
  assignment: Assignment;
  status: TrialStatus;
  reports: TrialReport[];
  checkpoint?: TrialCheckpoint;
  /** Why it ended before its end. */
  stopReason?: string;
  /** A scheduler stopped it for its score. */
  isPruned?: boolean;
  error?: { readonly code: string; readonly message: string };
  /** Failures that were forgiven. */
  failures: number;
  /** Time at work in earlier pieces, when it was interrupted. */
  workedMs: number;
  /** What it waits for, while it waits. */
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
