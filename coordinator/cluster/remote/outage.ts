// A coordinator that is out of reach for a while: it is restarted, its machine is, or the network between is gone. Requests
// of an owner are made again, at longer and longer intervals, for a stated time.

import { AbortedError, DeadlineError } from '../../../kernels/errors.ts';
import { backoffMs, type Backoff } from '../../../shared/backoff.ts';
import { delay, systemClock } from '../../../shared/clock.ts';
import { CoordinatorUnreachableError, RemoteError } from './remoteErrors.ts';

/** How long a coordinator may be out of reach. */
export const OUTAGE_MS = 120_000;

export interface Patience {
  /** How long it may be out of reach. */
  readonly outageMs: number;
  /** Waits before another attempt; tests replace it. @throws AbortedError */
  readonly pause?: (ms: number) => Promise<void>;
}

const pauses: Backoff = { firstMs: 250, maxMs: 5_000 };

export class Outage {
  readonly #url: string;
  readonly #patience: Patience;
  readonly #signal: AbortSignal;
  #lastedMs = 0;
  #pauses = 0;
  /** When the attempt at work began; undefined once the coordinator answered it. */
  #attemptAtMs: number | undefined = performance.now();

  constructor(url: string, patience: Patience, signal: AbortSignal) {
    this.#url = url;
    this.#patience = patience;
    this.#signal = signal;
  }

  /** The coordinator answers: from now on the attempt's time is not counted. */
  answered(): void {
    this.#attemptAtMs = undefined;
  }

  /** The coordinator has told something: the next outage is another one. */
  over(): void {
    this.#lastedMs = 0;
    this.#pauses = 0;
  }

  /**
   * Waits before another attempt.
   * @param what could not be done, for the message.
   * @throws `cause` where another attempt is of no use; CoordinatorUnreachableError when it has lasted too long; AbortedError.
   */
  async wait(cause: unknown, what: string): Promise<void> {
    const { outageMs, pause = (ms) => this.#pause(ms) } = this.#patience;
    if (!isOutage(cause) || outageMs === 0) throw cause;
    if (this.#attemptAtMs !== undefined) this.#lastedMs += performance.now() - this.#attemptAtMs;
    if (this.#lastedMs >= outageMs) {
      const { message } = cause as Error;
      throw new CoordinatorUnreachableError(
        `The coordinator at ${this.#url} has been out of reach for ${Math.round(outageMs / 1000)} s; ${what}. The last attempt: ${message}`,
        true,
        { cause },
      );
    }
    const pauseMs = Math.min(backoffMs(this.#pauses++, pauses), outageMs - this.#lastedMs);
    await pause(pauseMs);
    this.#lastedMs += pauseMs;
    this.#attemptAtMs = performance.now();
  }

  async #pause(ms: number): Promise<void> {
    await delay(systemClock, ms, this.#signal);
    if (this.#signal.aborted)
      throw new AbortedError(`The request to the coordinator at ${this.#url} was called off.`);
  }
}

/** Whether the coordinator may come back and give another answer. */
function isOutage(error: unknown): boolean {
  if (error instanceof CoordinatorUnreachableError) return error.mayComeBack;
  if (error instanceof RemoteError) return error.code === 'COORDINATOR_CLOSED';
  return error instanceof DeadlineError;
}
