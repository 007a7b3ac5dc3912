// What is known of a trial while it is at work.

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
