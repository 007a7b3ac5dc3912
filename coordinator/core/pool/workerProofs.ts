// Whether who shows the id of a worker and a secret is that worker: at signalling, at the relay, among programs and for
// blobs. Guesses count for an address as wrong tokens do.

import type { Attempt, AttemptThrottle } from './attemptThrottle.ts';
import type { Pool } from './pool.ts';

export interface ShownSecret {
  readonly workerId: string;
  readonly secret: string;
  /** From where it is shown. */
  readonly address: string;
}

export class WorkerProofs {
  readonly #pool: Pool;
  readonly #attempts: AttemptThrottle;

  constructor(pool: Pool, attempts: AttemptThrottle) {
    this.#pool = pool;
    this.#attempts = attempts;
  }

  /** By the secret of its welcome: "right" where the worker is in the pool. */
  bySecret(shown: ShownSecret): Attempt {
    return this.#prove(shown, this.#pool.secretsOf(shown.workerId));
  }

  /** By the token that is good for signalling alone. */
  bySignallingToken(shown: ShownSecret): Attempt {
    return this.#prove(shown, [this.#pool.keys.signallingToken(shown.workerId)]);
  }

  #prove({ workerId, secret, address }: ShownSecret, accepted: readonly string[]): Attempt {
    const attempt = this.#attempts.attempt(address, secret, accepted);
    // One that was in the pool and is gone has not guessed.
    if (attempt.type === 'right' && !this.#pool.worker(workerId)) return { type: 'missing' };
    return attempt;
  }
}
