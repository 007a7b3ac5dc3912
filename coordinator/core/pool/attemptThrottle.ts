// Slows down guesses of tokens, by address. Workers and owners behind one NAT share an address, so that a token which
// can not be guessed always counts; one that is short enough to be guessed is not even looked at while its address waits.

import { backoffMs, type Backoff } from '../../../shared/backoff.ts';
import type { Clock } from '../../../shared/clock.ts';
import { AnsweredError, type AnswerHeaders } from '../../http/httpErrors.ts';
import { addressShare } from '../../bounds/addressShares.ts';
import { secretsEqual } from './secrets.ts';

class TooManyAttemptsError extends AnsweredError {
  readonly code = 'TOO_MANY_ATTEMPTS';
  override readonly headers: AnswerHeaders;
  readonly retryAfterS: number;

  constructor(retryAfterS: number) {
    super(`Too many wrong tokens came from this address; try again in ${retryAfterS} s.`);
    this.retryAfterS = retryAfterS;
    this.headers = { 'Retry-After': String(retryAfterS) };
  }
}

export type Attempt =
  | { readonly type: 'right'; readonly secret: string }
  | { readonly type: 'missing' | 'wrong' }
  | { readonly type: 'throttled'; readonly error: TooManyAttemptsError };

interface Record {
  wrong: number;
  waitsUntilMs: number;
}

/** Mistyped, or of before a change: so many cost nothing. */
export const FREE_ATTEMPTS = 10;
const waits: Backoff = { firstMs: 1_000, maxMs: 15 * 60_000 };
/** After its last wait an address begins anew. */
const FORGET_MS = 15 * 60_000;
/** At ten thousand guesses a second, twenty letters of sixteen kinds last four million years. */
const UNGUESSABLE_CHARACTERS = 20;
const MAX_ADDRESSES = 10_000;

/** Whether a secret can not be found by guessing, however fast. */
export function isUnguessable(secret: string): boolean {
  return secret.length >= UNGUESSABLE_CHARACTERS;
}

/** Whether `given` is one of the accepted secrets, without slowing anyone down. */
export function compareSecrets(
  given: string | undefined,
  accepted: readonly string[],
): Exclude<Attempt, { type: 'throttled' }> {
  if (given === undefined) return { type: 'missing' };
  const secret = accepted.find((one) => secretsEqual(given, one));
  return secret === undefined ? { type: 'wrong' } : { type: 'right', secret };
}

export class AttemptThrottle {
  readonly #clock: Clock;
  readonly #maxAddresses: number;
  /** By block of addresses, those that were wrong last at the end. */
  readonly #records = new Map<string, Record>();

  constructor(clock: Clock, maxAddresses = MAX_ADDRESSES) {
    this.#clock = clock;
    this.#maxAddresses = maxAddresses;
  }

  /** @param accepted the secrets of which one has to be shown. */
  attempt(address: string, given: string | undefined, accepted: readonly string[]): Attempt {
    if (given === undefined) return { type: 'missing' };
    const now = this.#clock.now();
    const block = addressShare(address);
    const record = this.#find(block, now);
    const waitMs = (record?.waitsUntilMs ?? now) - now;
    const candidates = waitMs > 0 ? accepted.filter(isUnguessable) : accepted;
    const attempt = compareSecrets(given, candidates);
    if (attempt.type === 'right') return attempt;
    // Further tries meanwhile change nothing: a program with an old token is no worse than its first tries.
    if (waitMs > 0) return { type: 'throttled', error: new TooManyAttemptsError(Math.ceil(waitMs / 1000)) };
    this.#count(block, record, now);
    return attempt;
  }

  #find(block: string, now: number): Record | undefined {
    const record = this.#records.get(block);
    if (!record || now < record.waitsUntilMs + FORGET_MS) return record;
    this.#records.delete(block);
    return undefined;
  }

  #count(block: string, known: Record | undefined, now: number): void {
    const record = known ?? { wrong: 0, waitsUntilMs: now };
    record.wrong += 1;
    const waitMs = record.wrong < FREE_ATTEMPTS ? 0 : backoffMs(record.wrong - FREE_ATTEMPTS, waits);
    record.waitsUntilMs = now + waitMs;
    this.#records.delete(block);
    this.#records.set(block, record);
    if (this.#records.size <= this.#maxAddresses) return;
    for (const oldest of this.#records.keys()) {
      this.#records.delete(oldest);
      break;
    }
  }
}
