// Repeatable chance. Every use has a generator of its own, seeded by what it is for: so a trial's values and a layer's
// first weights do not depend on what was made before them, or on the order of anything.

/** Numbers in [0, 1), the same for the same seed and words. FNV-1a over the words seeds a mulberry32. */
export function randomFromWords(seed: number, ...words: readonly (string | number)[]): () => number {
  let state = 0x811c9dc5;
  for (const unit of `${seed}/${words.join('/')}`) {
    state = Math.imul(state ^ (unit.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
