// At most once in so many milliseconds, for what is called far more often than anyone can follow.

export class Throttle {
  readonly #everyMs: number;
  readonly #now: () => number;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** @param now milliseconds of a monotonic clock. */
  constructor(everyMs: number, now: () => number) {
    this.#everyMs = everyMs;
    this.#now = now;
  }

  get isDue(): boolean {
    return this.#now() - this.#lastMs >= this.#everyMs;
  }

  /** It was done: the time counts from now. */
  done(): void {
    this.#lastMs = this.#now();
  }

  /** The next time is at once. */
  reset(): void {
    this.#lastMs = Number.NEGATIVE_INFINITY;
  }
}
