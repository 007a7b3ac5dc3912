// Time that stands until a test moves it: timers fire in order of their due time, then of their setting.

import type { Clock } from '../../shared/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly fire: () => void;
  isCancelled: boolean;
}

export class ManualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  /** Binary heap, earliest first. */
  readonly #heap: Timer[] = [];

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, fire: () => void): () => void {
    const timer: Timer = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      order: (this.#order += 1),
      fire,
      isCancelled: false,
    };
    this.#heap.push(timer);
    this.#rise(this.#heap.length - 1);
    return () => void (timer.isCancelled = true);
  }

  /** Goes to the next timer that is due until then and fires it; false when there is none. */
  step(untilMs = Infinity): boolean {
    for (let next = this.#heap[0]; next && next.atMs <= untilMs; next = this.#heap[0]) {
      this.#pop();
      if (next.isCancelled) continue;
      this.#nowMs = next.atMs;
      next.fire();
      return true;
    }
    return false;
  }

  /** Fires all timers that are due within `ms`. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    while (this.step(untilMs));
    this.#nowMs = untilMs;
  }

  /** As advance, letting promises settle before each timer and after the last. */
  async advanceSettled(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    do await settled();
    while (this.step(untilMs));
    this.#nowMs = untilMs;
  }

  /** Timers that are set and neither fired nor cancelled. */
  get pending(): number {
    return this.#heap.filter(({ isCancelled }) => !isCancelled).length;
  }

  #rise(start: number): void {
    let i = start;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.#isBefore(i, parent)) return;
      this.#swap(i, parent);
      i = parent;
    }
  }

  #pop(): Timer | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || this.#heap.length === 0) return first;
    this.#heap[0] = last;
    for (let i = 0; ;) {
      const left = 2 * i + 1;
      const right = left + 1;
      let least = i;
      if (left < this.#heap.length && this.#isBefore(left, least)) least = left;
      if (right < this.#heap.length && this.#isBefore(right, least)) least = right;
      if (least === i) return first;
      this.#swap(i, least);
      i = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [x, y] = [this.#heap[a], this.#heap[b]];
    if (!x || !y) return false;
    return x.atMs < y.atMs || (x.atMs === y.atMs && x.order < y.order);
  }

  #swap(a: number, b: number): void {
    const [x, y] = [this.#heap[a], this.#heap[b]];
    if (!x || !y) return;
    this.#heap[a] = y;
    this.#heap[b] = x;
  }
}

/** Resolves when everything that was ready to run has run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
