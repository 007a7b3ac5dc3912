// Decides which offers of connections this worker looks at: those of members of its own groups. To all others no
// connection is made, so that no stranger learns this worker's addresses or makes it work. A peer may hear of a new group
// slightly earlier than this worker does: a few offers wait a moment for that.

import type { Clock } from '../../shared/clock.ts';
import type { ExpectedDialler } from './peerEndpoint.ts';

/** How long an offer waits for its group to be known here; a dialler gives up a little earlier. */
const PATIENCE_MS = 10_000;
/** One for the next group, and one for a dialler that dials again. */
const MAX_WAITING_PER_PEER = 2;
/** At some KiB each. Signalling passes on nothing but what members of a common run say. */
const MAX_WAITING = 512;
/** Attempts of one peer that have not led to a channel. */
const MAX_NEGOTIATIONS_PER_PEER = 4;
const NEGOTIATION_TIMEOUT_MS = 30_000;

/** A connection that is being made. */
export interface Negotiation {
  close(): void;
}

export interface Offer extends ExpectedDialler {
  /** Makes the connection; undefined when that failed. */
  take(): Negotiation | undefined;
}

interface WaitingOffer {
  readonly offer: Offer;
  readonly key: string;
  readonly cancel: () => void;
}

interface OpenNegotiation {
  readonly peerId: string;
  readonly key: string;
  readonly cancel: () => void;
}

export class OfferGate {
  readonly #clock: Clock;
  /** How many expect it, by key. */
  readonly #expected = new Map<string, number>();
  readonly #waiting = new Set<WaitingOffer>();
  readonly #negotiations = new Map<Negotiation, OpenNegotiation>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Lets this dialler in, and what it offered already. @returns How to stop; negotiations are then dropped, too. */
  expect(dialler: ExpectedDialler): () => void {
    const key = keyOf(dialler);
    this.#expected.set(key, (this.#expected.get(key) ?? 0) + 1);
    for (const waiting of this.#waiting) {
      if (waiting.key !== key) continue;
      this.#forget(waiting);
      this.#take(waiting.offer, key);
    }
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#expectLess(key);
    };
  }

  enter(offer: Offer): void {
    const key = keyOf(offer);
    if (this.#expected.has(key)) return this.#take(offer, key);
    const mine = [...this.#waiting].filter((one) => one.offer.peerId === offer.peerId);
    const former = mine.find((one) => one.key === key);
    const surplus = former ?? (mine.length < MAX_WAITING_PER_PEER ? undefined : mine[0]);
    if (surplus) this.#forget(surplus);
    if (this.#waiting.size >= MAX_WAITING) return;
    const cancel = this.#clock.after(PATIENCE_MS, () => this.#waiting.delete(waiting));
    const waiting: WaitingOffer = { offer, key, cancel };
    this.#waiting.add(waiting);
  }

  /** The negotiation led to a channel, or is over. */
  settle(negotiation: Negotiation): void {
    this.#negotiations.get(negotiation)?.cancel();
    this.#negotiations.delete(negotiation);
  }

  close(): void {
    for (const { cancel } of [...this.#waiting, ...this.#negotiations.values()]) cancel();
    this.#waiting.clear();
    this.#negotiations.clear();
    this.#expected.clear();
  }

  #take(offer: Offer, key: string): void {
    const { peerId } = offer;
    const open = [...this.#negotiations.values()].filter((one) => one.peerId === peerId);
    if (open.length >= MAX_NEGOTIATIONS_PER_PEER) return;
    const negotiation = offer.take();
    if (!negotiation) return;
    const cancel = this.#clock.after(NEGOTIATION_TIMEOUT_MS, () => this.#drop(negotiation));
    this.#negotiations.set(negotiation, { peerId, key, cancel });
  }

  #drop(negotiation: Negotiation): void {
    this.settle(negotiation);
    negotiation.close();
  }

  #expectLess(key: string): void {
    const left = (this.#expected.get(key) ?? 1) - 1;
    if (left > 0) return void this.#expected.set(key, left);
    this.#expected.delete(key);
    for (const [negotiation, open] of this.#negotiations) if (open.key === key) this.#drop(negotiation);
  }

  #forget(waiting: WaitingOffer): void {
    waiting.cancel();
    this.#waiting.delete(waiting);
  }
}

function keyOf({ peerId, workerId, group }: ExpectedDialler): string {
  return JSON.stringify([peerId, workerId, group]);
}
