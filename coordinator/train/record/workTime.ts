// How much of a run's time was work, and how much waiting for workers: before the first group, and whenever too few are left.

export class WorkTime {
  readonly #now: () => number;
  readonly #startedAt: number;
  #waitedMs = 0;
  #waitingSince: number | undefined;

  /** @param now milliseconds of a monotonic clock. A run begins by waiting. */
  constructor(now: () => number) {
    this.#now = now;
    this.#startedAt = this.#waitingSince = now();
  }

  observe({ type }: { readonly type: string }): void {
    if (type === 'waiting') this.#waitingSince ??= this.#now();
    else if (type === 'group' && this.#waitingSince !== undefined) {
      this.#waitedMs += this.#now() - this.#waitingSince;
      this.#waitingSince = undefined;
    }
  }

  get waitedMs(): number {
    return this.#waitedMs + (this.#waitingSince === undefined ? 0 : this.#now() - this.#waitingSince);
  }

  get workedMs(): number {
    return this.#now() - this.#startedAt - this.waitedMs;
  }
}
