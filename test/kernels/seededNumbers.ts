// Random numbers that a test can name: the same in every runtime (mulberry32).

export interface SeededNumbers {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in 0..bound-1. */
  below(bound: number): number;
}

export function seededNumbers(seed: number): SeededNumbers {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, below: (bound) => Math.floor(next() * bound) };
}
