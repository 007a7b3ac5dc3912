// What a run says leaves in the order in which it was decided, and only after the facts that it rests on are safe.

import type { RunFact } from './runRecord.ts';

export interface Outgoing {
  readonly facts?: readonly RunFact[];
  readonly deliver?: () => void | Promise<void>;
  /** Delivered even after facts could not be kept: goodbyes. */
  readonly always?: boolean;
}

export class Outbox {
  readonly #write: (facts: readonly RunFact[]) => Promise<void>;
  readonly #onFailure: (error: unknown) => void;
  #waiting: Outgoing[] = [];
  #emptying: Promise<void> | undefined;
  #isBroken = false;

  /** @param onFailure told when facts can't be kept (once; none are kept after that) or a delivery fails. */
  constructor(write: (facts: readonly RunFact[]) => Promise<void>, onFailure: (error: unknown) => void) {
    this.#write = write;
    this.#onFailure = onFailure;
  }

  post(outgoing: Outgoing): void {
    this.#waiting.push(outgoing);
    this.#emptying ??= this.#empty();
  }

  /** Resolves when everything posted so far has left. */
  async emptied(): Promise<void> {
    await this.#emptying;
  }

  async #empty(): Promise<void> {
    // What else is decided in the same turn is written in the same transaction.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      await this.#keep(batch.flatMap(({ facts }) => facts ?? []));
      for (const { deliver, always } of batch) {
        if (!deliver || (this.#isBroken && always !== true)) continue;
        try {
          await deliver();
        } catch (error) {
          this.#onFailure(error);
        }
      }
    }
    this.#emptying = undefined;
  }

  async #keep(facts: readonly RunFact[]): Promise<void> {
    if (facts.length === 0 || this.#isBroken) return;
    try {
      await this.#write(facts);
    } catch (error) {
      this.#isBroken = true;
      this.#onFailure(error);
    }
  }
}
