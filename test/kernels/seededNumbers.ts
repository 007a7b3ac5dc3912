// Random numbers that a test can name: the same in every runtime.

import { seededRandom } from '../setup/seededRandom.ts';

export interface SeededNumbers {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in 0..bound-1. */
  below(bound: number): number;
}

export function seededNumbers(seed: number): SeededNumbers {
  const next = seededRandom(seed);
  return { next, below: (bound) => Math.floor(next() * bound) };
}
