// Lends a share of a worker's time: all that it computes is measured, on the device and beside it, and paid for by rests.

import { eventTurn } from '../../kernels/eventTurn.ts';
import { delay, type Clock } from '../../shared/clock.ts';

/** Longest rest at a time, so that a lowered share never looks like a dead worker to its peers. */
const MAX_REST_MS = 2_000;
/** Timers count in whole milliseconds, and in tabs by four: what is less is owed until it is worth one. */
const MIN_REST_MS = 4;
/** A timer that fires late is a rest too, but not for work of a minute later. */
const MAX_CREDIT_MS = 1_000;
/** Over how long the share that was used is measured, at least; twice that at most. */
const MEASURED_MS = 5_000;
/** Most that is owed: work of some seconds is made up for, not work of an hour ago. */
const MAX_OWED_MS = 10_000;

export class LentTime {
  readonly #share: () => number;
  readonly #clock: Clock;
  readonly #nextEvent: () => Promise<void>;
  #owedMs = 0;
  /** Pieces of work that go on now. */
  #pieces = 0;
  #isWatching = false;
  /** Since when something goes on that is not measured yet. */
  #sinceMs: number;
  /** Work of the window that goes on, and the share of the one before it. */
  #window: { readonly fromMs: number; workedMs: number };
  #lastShare: number | undefined;

  /**
   * @param share how much of the time may be used, in (0, 1]; asked anew each time.
   * @param nextEvent resolves when the event that goes on now has been dealt with.
   */
  constructor(share: () => number, clock: Clock, nextEvent: () => Promise<void> = eventTurn) {
    this.#share = share;
    this.#clock = clock;
    this.#nextEvent = nextEvent;
    this.#sinceMs = clock.now();
    this.#window = { fromMs: this.#sinceMs, workedMs: 0 };
  }

  /**
   * Share of the time that was worked, in [0, 1], over the last seconds; undefined in the first ones. Of a share of 1 the work on
   * the device alone.
   */
  get usedShare(): number | undefined {
    this.#settle();
    return this.#lastShare;
  }

  /**
   * Begins a piece of work, which may wait for the device. What goes on at the same time counts once. @returns how to end it; what
   * follows from its answer counts too, until the next event is dealt with.
   */
  begin(): () => void {
    this.#settle();
    this.#pieces += 1;
    return () => {
      this.#settle();
      this.#pieces -= 1;
      this.watch();
    };
  }

  /** Work begins that ends before the next event is dealt with: what a message brings about. */
  watch(): void {
    if (this.#isWatching || this.#share() >= 1) return;
    this.#settle();
    this.#isWatching = true;
    void this.#nextEvent().then(() => {
      this.#settle();
      this.#isWatching = false;
    });
  }

  /** Rests for what was measured. What is done after that counts again. */
  async rest(): Promise<void> {
    this.#settle();
    const restMs = Math.min(MAX_REST_MS, this.#owedMs);
    if (restMs < MIN_REST_MS) return;
    this.#owedMs -= restMs;
    const fromMs = this.#clock.now();
    await delay(this.#clock, restMs);
    // Timers fire early by a fraction, and late by any time.
    const furtherMs = this.#clock.now() - fromMs - restMs;
    this.#owedMs = Math.max(-MAX_CREDIT_MS, this.#owedMs - furtherMs);
    this.watch();
  }

  /** Measures what has gone on up to now. */
  #settle(): void {
    const nowMs = this.#clock.now();
    if (this.#pieces > 0 || this.#isWatching) this.#measure(nowMs - this.#sinceMs);
    this.#sinceMs = nowMs;
    const lastedMs = nowMs - this.#window.fromMs;
    if (lastedMs < MEASURED_MS) return;
    this.#lastShare = this.#window.workedMs / lastedMs;
    this.#window = { fromMs: nowMs, workedMs: 0 };
  }

  #measure(workedMs: number): void {
    this.#window.workedMs += workedMs;
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
