// Choices drawn from the tests' seeded generator, so that a failing schedule can be run again.

import { seededRandom } from '../setup/seededRandom.ts';

export class RandomChoices {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seededRandom(seed);
  }

  between(low: number, high: number): number {
    return low + this.#next() * (high - low);
  }

  /** A whole number from low to high, both counted in. */
  integer(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  pick<T>(values: readonly T[]): T {
    const value = values[Math.floor(this.#next() * values.length)];
    if (value === undefined) throw new Error('nothing to pick from');
    return value;
  }
}
