// What can be read of a run's record later on, page by page: for those who look at runs, and never for the run itself.

import type { NumberedEvent } from './runRecord.ts';
import type { CommittedRound, RunRequest } from './runRequest.ts';

/** What a run was asked for, and when it went on. */
export interface AskedRun {
  readonly request: Omit<RunRequest, 'shouldStop'>;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
}

export interface RunArchive {
  /** Rounds as they were told, of those after the event numbered `after`, oldest first. */
  roundEvents(runId: string, after: number, limit: number): Promise<NumberedEvent[]>;
  /** Likewise the events that are no rounds; quick however many rounds lie between them. */
  otherEvents(runId: string, after: number, limit: number): Promise<NumberedEvent[]>;
  /** Recorded rounds with what they take to be done again, from the one numbered `from` on. */
  roundsFrom(runId: string, from: number, limit: number): Promise<CommittedRound[]>;
  /** How many there are of those: one more than the last one's number. */
  recordedRounds(runId: string): Promise<number>;
  /** The last event of a kind. */
  lastEvent(runId: string, kind: 'checkpoint' | 'profiled'): Promise<NumberedEvent | undefined>;
  /** Undefined where there is no such run. */
  asked(runId: string): Promise<AskedRun | undefined>;
}
