// What one worker uses of the relay, over all its links.

import { TokenBucket, type RateLimit } from '../pool/rateLimit.ts';

export interface RelayLimits {
  /** A half is one end of a link. */
  readonly maxHalves: number;
  readonly maxHalvesPerWorker: number;
  /** Towards one other worker: a group that is being formed anew may overlap with the one before. */
  readonly maxHalvesPerPair: number;
  /** Bytes of one worker that wait for their readers; beyond that its links go on one message at a time. */
  readonly waitingBytesPerWorker: number;
  /** Of all workers, as above. At twice as many, links are cut: first those whose readers took nothing for longest. */
  readonly waitingBytes: number;
  /** Of messages that have not come completely. */
  readonly unfinishedBytes: number;
  readonly byteRate: RateLimit;
  readonly messageRate: RateLimit;
  /** A link that carries nothing is cut after this: links that live say so every second. */
  readonly idleMs: number;
  /** A link whose reader takes nothing of what waits is cut after this. */
  readonly stuckMs: number;
}

const MEBIBYTE = 1024 * 1024;

export const defaultRelayLimits: RelayLimits = {
  maxHalves: 2048,
  maxHalvesPerWorker: 512,
  maxHalvesPerPair: 4,
  waitingBytesPerWorker: 16 * MEBIBYTE,
  waitingBytes: 64 * MEBIBYTE,
  unfinishedBytes: 64 * MEBIBYTE,
  byteRate: { perSecond: 64 * MEBIBYTE, burst: 256 * MEBIBYTE },
  messageRate: { perSecond: 10_000, burst: 40_000 },
  idleMs: 120_000,
  stuckMs: 60_000,
};

export class RelayAccount {
  halves = 0;
  /** Payload bytes that the worker sent. */
  sentBytes = 0;
  readonly #limits: RelayLimits;
  readonly #hasRoomInAll: () => boolean;
  readonly #onChange: (bytes: number) => void;
  readonly #bytes: TokenBucket;
  readonly #messages: TokenBucket;
  #waitingBytes = 0;

  /** @param hasRoomInAll whether all workers have left room for more. @param onChange told by how many bytes more wait. */
  constructor(
    limits: RelayLimits,
    nowMs: number,
    hasRoomInAll: () => boolean,
    onChange: (bytes: number) => void,
  ) {
    this.#limits = limits;
    this.#hasRoomInAll = hasRoomInAll;
    this.#onChange = onChange;
    this.#bytes = new TokenBucket(limits.byteRate, nowMs);
    this.#messages = new TokenBucket(limits.messageRate, nowMs);
  }

  get hasRoom(): boolean {
    return this.#waitingBytes < this.#limits.waitingBytesPerWorker && this.#hasRoomInAll();
  }

  /** A message that waits from now on. @returns for how many milliseconds the worker should not be read from. */
  hold(bytes: number, nowMs: number): number {
    this.#waitingBytes += bytes;
    this.sentBytes += bytes;
    const pauseMs = Math.max(this.#bytes.borrow(bytes, nowMs), this.#messages.borrow(1, nowMs));
    this.#onChange(bytes);
    return pauseMs;
  }

  release(bytes: number): void {
    this.#waitingBytes -= bytes;
    this.#onChange(-bytes);
  }
}
