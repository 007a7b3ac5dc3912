// Whether stored blobs still have the bytes that they are named by, for whoever asks over HTTP. A check reads all of a
// blob, so the checks of all are done one after another, in turns; one serves all who ask for the same blob meanwhile and
// workers that ask soon after, and ends when nobody waits for it any more.

import type { Clock } from '../../../shared/clock.ts';
import { AbortedError } from '../../../kernels/errors.ts';
import { deferred, type Deferred } from '../../../shared/deferred.ts';
import { FairQueue } from '../../bounds/fairQueue.ts';
import type { BlobStore } from './blobStore.ts';

/** How long a blob that was in order counts as such: shorter than whoever got other bytes waits before it asks again. */
const FRESH_MS = 5_000;
const MAX_REMEMBERED = 10_000;

/** One check for all who wait for it, in the line of each of them: it is done at the first turn that comes. */
class Check {
  readonly withdraw = new AbortController();
  readonly #verified: Deferred<boolean> = deferred();
  readonly #verify: () => Promise<boolean>;
  readonly #parties = new Set<string>();
  #isBegun = false;
  waiting = 0;

  constructor(verify: (signal: AbortSignal) => Promise<boolean>) {
    this.#verify = () => verify(this.withdraw.signal);
  }

  get outcome(): Promise<boolean> {
    return this.#verified.promise;
  }

  /** Takes a turn of this party's, unless it has one, or the check has begun. */
  standInLine(party: string, queue: FairQueue): void {
    if (this.#isBegun || this.#parties.has(party)) return;
    this.#parties.add(party);
    const { resolve, reject } = this.#verified;
    queue
      .run(party, this.withdraw.signal, async () => {
        if (this.#isBegun) return;
        this.#isBegun = true;
        resolve(await this.#verify());
      })
      .catch(reject);
  }
}

/** Owners ask as one party, and their checks are always new. */
const OWNERS = 'owners';

export class BlobChecks {
  readonly #blobs: Pick<BlobStore, 'verify' | 'has'>;
  readonly #clock: Clock;
  readonly #queue = new FairQueue();
  readonly #checks = new Map<string, Check>();
  /** When blobs were found in order, oldest first. */
  readonly #inOrderMs = new Map<string, number>();

  constructor(blobs: Pick<BlobStore, 'verify' | 'has'>, clock: Clock) {
    this.#blobs = blobs;
    this.#clock = clock;
  }

  /**
   * @param workerId who asks; undefined where it is an owner.
   * @returns false where the blob is not there, or lost bytes and was dropped.
   * @throws AbortedError once `signal` fires.
   */
  async check(sha256: string, workerId: string | undefined, signal: AbortSignal): Promise<boolean> {
    if (workerId !== undefined && this.#isFresh(sha256)) return this.#blobs.has(sha256);
    const check = this.#checks.get(sha256) ?? this.#open(sha256);
    check.standInLine(workerId ?? OWNERS, this.#queue);
    check.waiting += 1;
    try {
      return await untilAborted(check.outcome, signal);
    } finally {
      check.waiting -= 1;
      if (check.waiting === 0) check.withdraw.abort();
    }
  }

  #open(sha256: string): Check {
    const check = new Check((signal) => this.#blobs.verify(sha256, signal));
    this.#checks.set(sha256, check);
    const end = (): void => {
      if (this.#checks.get(sha256) === check) this.#checks.delete(sha256);
    };
    check.withdraw.signal.addEventListener('abort', end);
    check.outcome.then((isInOrder) => {
      end();
      if (isInOrder) this.#remember(sha256);
    }, end);
    return check;
  }

  #isFresh(sha256: string): boolean {
    const atMs = this.#inOrderMs.get(sha256);
    return atMs !== undefined && this.#clock.now() - atMs < FRESH_MS;
  }

  #remember(sha256: string): void {
    this.#inOrderMs.delete(sha256);
    this.#inOrderMs.set(sha256, this.#clock.now());
    if (this.#inOrderMs.size <= MAX_REMEMBERED) return;
    const [oldest] = this.#inOrderMs.keys();
    this.#inOrderMs.delete(oldest!);
  }
}

function untilAborted<T>(outcome: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(new AbortedError('Nobody waits for the check any more.'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    outcome.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
