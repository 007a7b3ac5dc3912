// The mean load of a deployment over time: exact, from its changes alone.

import type { Clock } from '../../../shared/clock.ts';

export class LoadMeter {
  readonly #clock: Clock;
  #load = 0;
  #sum = 0;
  #changedAtMs: number;
  #sinceMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#changedAtMs = this.#sinceMs = clock.now();
  }

  set(load: number): void {
    const now = this.#clock.now();
    this.#sum += this.#load * (now - this.#changedAtMs);
    this.#changedAtMs = now;
    this.#load = load;
  }

  /** Mean since the last time it was taken. */
  take(): number {
    this.set(this.#load);
    const spanMs = this.#changedAtMs - this.#sinceMs;
    const mean = spanMs > 0 ? this.#sum / spanMs : this.#load;
    this.#sum = 0;
    this.#sinceMs = this.#changedAtMs;
    return mean;
  }
}
