// What is known of a trial while it is at work.

import type { Trial } from '../trial/trial.ts';

export interface LiveTrial {
  readonly calledOff: AbortController;
  startedAt: number | undefined;
  /** Resolves when its last report is on disk. */
  recorded: Promise<void>;
  /** Iteration at which it is to end this piece, and to be gone on with when its generation is renewed. */
  pausedAt: number | undefined;
  /** Keeps it from being called off, where the experiment ends. */
  spare: () => void;
}

export function newLiveTrial(): LiveTrial {
  return {
    calledOff: new AbortController(),
    startedAt: undefined,
    recorded: Promise.resolve(),
    pausedAt: undefined,
    spare: () => undefined,
  };
}

/** How long a trial may take to report once more when the experiment ends; two of its iterations where they take longer. */
const SILENCE_MS = 5_000;

/** Ends it with the iteration in flight, and calls it off where that takes too long. @param now of a monotonic clock. */
export function endSoon(trial: Trial, live: LiveTrial, now: () => number): void {
  if (trial.status === 'waiting') live.calledOff.abort();
  else callOffLate(trial, live, now);
}

/** Calls it off when it has not ended by itself, some time after the experiment has. */
function callOffLate({ reports, workedMs }: Trial, live: LiveTrial, now: () => number): void {
  const { iteration = 1, elapsedMs = workedMs + now() - (live.startedAt ?? now()) } = reports.at(-1) ?? {};
  const iterationMs = elapsedMs / iteration;
  const timer = setTimeout(() => live.calledOff.abort(), Math.max(SILENCE_MS, 2 * iterationMs));
  live.spare = () => clearTimeout(timer);
}
