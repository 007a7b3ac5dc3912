// How often and how long a worker asks its coordinator for a blob, or to store one. A coordinator that is started again may
// be away for minutes, and its workers shall have lost nothing by that; any other failure has a few attempts.

import { jitteredMs, type Backoff } from '../../shared/backoff.ts';
import { delay, type Clock } from '../../shared/clock.ts';

export interface RetryOptions {
  readonly clock: Clock;
  readonly random: () => number;
}

const ATTEMPTS = 6;
const waits: Backoff = { firstMs: 200, maxMs: 5_000 };
/** What a restart takes on a slow machine, with a large record, and many times that. */
const AWAY_MS = 10 * 60_000;

export class BlobRetries {
  /** That were made and failed. */
  attempts = 0;
  readonly #options: RetryOptions;
  #waitedMs = 0;

  constructor(options: RetryOptions) {
    this.#options = options;
  }

  /**
   * Counts an attempt that failed, and waits until it is time for the next one.
   * @param isAway whether it failed since the coordinator is not there.
   * @returns false when there is no next one. Rejects with AbortedError.
   */
  async waitForNext(isAway: boolean, signal: AbortSignal): Promise<boolean> {
    const { clock, random } = this.#options;
    this.attempts += 1;
    if (this.attempts >= ATTEMPTS && !(isAway && this.#waitedMs < AWAY_MS)) return false;
    const waitMs = jitteredMs(this.attempts - 1, waits, random);
    this.#waitedMs += waitMs;
    await delay(clock, waitMs, signal);
    return true;
  }
}

/** Whether the answer comes from a proxy whose coordinator is gone, or from a new one that does not know the worker yet. */
export function isAwayStatus(status: number): boolean {
  return [401, 502, 503, 504].includes(status);
}

/** Whether fetch rejected without an answer: a TypeError on every platform, as the Fetch standard has it. */
export function isAwayError(error: unknown): boolean {
  return error instanceof TypeError;
}
