// How much weight each of few values has: a hash table by open addressing.

/** The ordered key of a NaN: no value has it, so it marks a free slot. */
const FREE = 0xffffffff;
const FIRST_SLOTS = 64;

/** Values by their ordered keys (flipFloat), at most half as many as there are slots. */
export class ValueTable {
  #keys: Uint32Array<ArrayBuffer>;
  #weights: Float64Array<ArrayBuffer>;
  #distinct = 0;

  /** @param slots a power of two. */
  constructor(slots = FIRST_SLOTS) {
    this.#keys = new Uint32Array(slots).fill(FREE);
    this.#weights = new Float64Array(slots);
  }

  get distinct(): number {
    return this.#distinct;
  }

  clear(): void {
    this.#keys.fill(FREE);
    this.#distinct = 0;
  }

  /**
   * Adds values in their order, up to the one with which there are more than `most` different ones.
   * @param weights of the values; all 1 when left out.
   * @returns the place after the last one that was added.
   */
  add(keys: Uint32Array, weights: Float64Array | undefined, most: number): number {
    for (let at = 0; at < keys.length && this.#distinct <= most;) {
      at = this.#addUntilFull(keys, weights, at, most);
      if (at === keys.length || this.#distinct > most) return at;
      this.#grow();
    }
    return keys.length;
  }

  #addUntilFull(
    added: Uint32Array,
    addedWeights: Float64Array | undefined,
    from: number,
    most: number,
  ): number {
    const keys = this.#keys;
    const weights = this.#weights;
    const full = Math.min(most, keys.length / 2);
    let distinct = this.#distinct;
    let i = from;
    while (i < added.length && distinct <= full) {
      const key = added[i]!;
      const weight = addedWeights === undefined ? 1 : addedWeights[i]!;
      i += 1;
      const slot = slotOf(keys, key);
      if (keys[slot] === key) {
        weights[slot]! += weight;
        continue;
      }
      keys[slot] = key;
      weights[slot] = weight;
      distinct += 1;
    }
    this.#distinct = distinct;
    return i;
  }

  #grow(): void {
    const [keys, weights] = [this.#keys, this.#weights];
    this.#keys = new Uint32Array(keys.length * 2).fill(FREE);
    this.#weights = new Float64Array(keys.length * 2);
    for (let slot = 0; slot < keys.length; slot += 1) {
      const key = keys[slot]!;
      if (key === FREE) continue;
      const to = slotOf(this.#keys, key);
      this.#keys[to] = key;
      this.#weights[to] = weights[slot]!;
    }
  }

  /** The different values, in no order, and their weights, in memory of their own. */
  entries(): [keys: Uint32Array<ArrayBuffer>, weights: Float64Array<ArrayBuffer>] {
    const keys = new Uint32Array(this.#distinct);
    const weights = new Float64Array(this.#distinct);
    let count = 0;
    for (let slot = 0; slot < this.#keys.length; slot += 1) {
      const key = this.#keys[slot]!;
      if (key === FREE) continue;
      keys[count] = key;
      weights[count] = this.#weights[slot]!;
      count += 1;
    }
    return [keys, weights];
  }
}

/** The slot that holds a key, or else is free for it. */
function slotOf(keys: Uint32Array, key: number): number {
  const mask = keys.length - 1;
  let slot = Math.imul(key ^ (key >>> 15), 0x9e3779b1) & mask;
  while (keys[slot] !== key && keys[slot] !== FREE) slot = (slot + 1) & mask;
  return slot;
}
