// Lends a share of a worker's time: all that it computes is measured, on the device and beside it, and paid for by rests.

import { eventTurn } from '../../kernels/eventTurn.ts';
import { delay, type Clock } from '../../shared/clock.ts';

/** Longest rest at a time, so that a lowered share never looks like a dead worker to its peers. */
const MAX_REST_MS = 2_000;
/** Most that is owed: work of some seconds is made up for, not work of an hour ago. */
const MAX_OWED_MS = 10_000;

export class LentTime {
  readonly #share: () => number;
  readonly #clock: Clock;
  readonly #nextEvent: () => Promise<void>;
  #owedMs = 0;
  /** All that was measured so far, and the pieces of work that go on now. */
  #measuredMs = 0;
  #pieces = 0;
  #piecesSinceMs = 0;
  #isWatching = false;

  /**
   * @param share how much of the time may be used, in (0, 1]; asked anew each time.
   * @param nextEvent resolves when the event that goes on now has been dealt with.
   */
  constructor(share: () => number, clock: Clock, nextEvent: () => Promise<void> = eventTurn) {
    this.#share = share;
    this.#clock = clock;
    this.#nextEvent = nextEvent;
  }

  /** Begins a piece of work, which may wait for the device; pieces that overlap count once. @returns how to end it. */
  begin(): () => void {
    if (this.#pieces === 0) this.#piecesSinceMs = this.#clock.now();
    this.#pieces += 1;
    return () => {
      this.#pieces -= 1;
      if (this.#pieces === 0) this.#measure(this.#clock.now() - this.#piecesSinceMs);
    };
  }

  /** Work begins that ends before the next event is dealt with: what a message brings about. */
  watch(): void {
    if (this.#isWatching || this.#share() >= 1) return;
    this.#isWatching = true;
    const [sinceMs, measuredMs] = [this.#clock.now(), this.#measuredMs];
    void this.#nextEvent().then(() => {
      this.#isWatching = false;
      // A piece that goes on counts whole when it ends.
      const inPiecesMs = this.#pieces > 0 ? Infinity : this.#measuredMs - measuredMs;
      this.#measure(Math.max(0, this.#clock.now() - sinceMs - inPiecesMs));
    });
  }

  /** Rests for what was measured. */
  async rest(): Promise<void> {
    const restMs = Math.min(MAX_REST_MS, this.#owedMs);
    if (restMs <= 0) return;
    this.#owedMs -= restMs;
    await delay(this.#clock, restMs);
  }

  #measure(workedMs: number): void {
    this.#measuredMs += workedMs;
    const share = this.#share();
    this.#owedMs = share >= 1 ? 0 : Math.min(MAX_OWED_MS, this.#owedMs + workedMs * (1 / share - 1));
  }
}

/** The same object, whose methods count as work. After those of `rests` the worker rests. */
export function lent<T extends object>(target: T, time: LentTime, rests: ReadonlySet<keyof T>): T {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]): unknown => {
        const end = time.begin();
        let result: unknown;
        try {
          // Methods need their own `this`.
          result = (value as (...given: unknown[]) => unknown).apply(target, given);
        } catch (error) {
          end();
          throw error;
        }
        if (!(result instanceof Promise)) {
          end();
          return result;
        }
        const ended = result.finally(end);
        if (!rests.has(name as keyof T)) return ended;
        return ended.then(async (answer: unknown) => {
          await time.rest();
          return answer;
        });
      };
    },
  });
}
