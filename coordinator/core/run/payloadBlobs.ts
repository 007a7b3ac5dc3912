// The blobs of committed payloads (trees) by which members and newcomers bring their rows up to date. All are written anew for
// each group. Newcomers may come by the hundred, and again and again: for them those of a moment ago will do.

import type { Clock } from '../../../shared/clock.ts';
import type { BlobAddress } from '../blobs/blobStore.ts';
import type { CommittedRound } from './runRequest.ts';

/** Blobs that newcomers may still be fetching. */
const MOST_IN_USE = 8;
/** For how long a blob is good for newcomers: so long, and so many times what it took to write it. */
const FRESH_MS = 1_000;
const FRESH_TIMES = 20;

export interface PayloadBlob {
  /** Null where there are no rounds. */
  readonly sha256: string | null;
  /** Whose payloads it has, from the first on. */
  readonly rounds: number;
}

interface LastBlob extends PayloadBlob {
  readonly freshUntilMs: number;
}

export class PayloadBlobs {
  readonly #put: (value: unknown) => Promise<BlobAddress>;
  readonly #clock: Clock;
  /** Oldest first. */
  #inUse: string[] = [];
  #last: LastBlob | undefined;

  constructor(put: (value: unknown) => Promise<BlobAddress>, clock: Clock) {
    this.#put = put;
    this.#clock = clock;
  }

  /** SHA-256 of the blobs that workers may ask for. */
  get inUse(): readonly string[] {
    return this.#inUse;
  }

  /** For the members of a group: the payloads of all rounds. */
  async ofGroup(rounds: readonly CommittedRound[]): Promise<PayloadBlob> {
    const blob = await this.#write(rounds);
    this.#inUse = blob.sha256 === null ? [] : [blob.sha256];
    return blob;
  }

  /** For a newcomer. @param agreedRounds that it has: it gets no fewer. */
  async ofNewcomer(rounds: readonly CommittedRound[], agreedRounds: number): Promise<PayloadBlob> {
    const last = this.#last;
    if (last && this.#clock.now() < last.freshUntilMs && last.rounds >= agreedRounds) return last;
    const blob = await this.#write(rounds);
    if (blob.sha256 !== null) this.#inUse = [...this.#inUse.slice(-MOST_IN_USE), blob.sha256];
    return blob;
  }

  async #write(rounds: readonly CommittedRound[]): Promise<PayloadBlob> {
    if (rounds.length === 0) return { sha256: null, rounds: 0 };
    const sinceMs = this.#clock.now();
    const { sha256 } = await this.#put(rounds.map(({ payload }) => payload));
    const nowMs = this.#clock.now();
    const freshUntilMs = nowMs + Math.max(FRESH_MS, FRESH_TIMES * (nowMs - sinceMs));
    this.#last = { sha256, rounds: rounds.length, freshUntilMs };
    return this.#last;
  }
}
