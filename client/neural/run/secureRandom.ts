// Numbers that nobody else can guess.

/** In [0, 1). */
export function secureRandom(): number {
  const [value = 0] = globalThis.crypto.getRandomValues(new Uint32Array(1));
  return value / 2 ** 32;
}
