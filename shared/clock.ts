// Time as the workers and the coordinator see it, so that tests can turn the hands.

export interface Clock {
  /** Milliseconds from any fixed origin; never goes back. */
  now(): number;
  /** Calls back once after `delayMs`; returns how to cancel. */
  after(delayMs: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`, or at once when the signal fires. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const finish = (): void => {
      cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.after(delayMs, finish);
    signal?.addEventListener('abort', finish);
  });
}

/** Exponential backoff with full jitter: between half and all of min(maxMs, firstMs · 2^attempt). */
export function backoffMs(attempt: number, firstMs: number, maxMs: number, random: () => number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30)) * (0.5 + random() / 2);
}
