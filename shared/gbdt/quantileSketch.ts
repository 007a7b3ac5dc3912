// A streaming summary of one numeric column: which values, and how much weight up to each. Exact while the distinct
// values are few; beyond that its memory stays bounded and ranks are approximate.

import { flipFloat, radixSort, unflipFloat } from './radixSort.ts';
import type { WeightedSummary } from './weightedSummary.ts';
import { mergeSummaries, pruneSummary } from './weightedSummary.ts';

/** Distinct values that are counted exactly. */
export const EXACT_DISTINCT = 65_536;
/** Entries of a pruned summary. Each of log2(batches) levels adds a rank error of about half a part in this many. */
const PRUNED_SIZE = 16_384;
const FIRST_CAPACITY = 1024;
/** Bits of a NaN: no value has them, so they mark a free slot. */
const FREE = 0xffffffff;

/**
 * Feed it batches in row order: the result depends on that order (beyond EXACT_DISTINCT values), not on batch sizes.
 * NaN (missing) and infinities are passed over. Memory: at most about 10 MB, a few KB for columns of few values.
 */
export class QuantileSketch {
  // Open addressing: the bits of a value and its weight so far.
  #keys = new Uint32Array(FIRST_CAPACITY).fill(FREE);
  #weights = new Float64Array(FIRST_CAPACITY);
  #distinct = 0;
  /** levels[l] summarises 2^l full tables, or is undefined: a binary counter. */
  readonly #levels: (WeightedSummary | undefined)[] = [];

  /** @param weights weight of each value (raw row weights, without scale_pos_weight); all 1 when left out. */
  push(values: Float32Array, weights?: ArrayLike<number>): void {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < values.length; i += 1) {
      let key = bits[i]!;
      if ((key & 0x7f800000) === 0x7f800000) continue;
      if (key === 0x80000000) key = 0;
      this.#add(key, weights === undefined ? 1 : weights[i]!);
    }
  }

  #add(key: number, weight: number): void {
    const keys = this.#keys;
    const mask = keys.length - 1;
    let slot = Math.imul(key ^ (key >>> 15), 0x9e3779b1) & mask;
    while (keys[slot] !== key) {
      if (keys[slot] === FREE) {
        keys[slot] = key;
        this.#weights[slot] = weight;
        this.#distinct += 1;
        if (this.#distinct * 2 > keys.length) this.#makeRoom();
        return;
      }
      slot = (slot + 1) & mask;
    }
    this.#weights[slot]! += weight;
  }

  #makeRoom(): void {
    if (this.#distinct > EXACT_DISTINCT) {
      this.#carry(pruneSummary(this.#summariseTable(), PRUNED_SIZE));
      this.#keys.fill(FREE);
      this.#weights.fill(0);
      this.#distinct = 0;
      return;
    }
    const [keys, weights] = [this.#keys, this.#weights];
    this.#keys = new Uint32Array(keys.length * 2).fill(FREE);
    this.#weights = new Float64Array(keys.length * 2);
    this.#distinct = 0;
    keys.forEach((key, slot) => {
      if (key !== FREE) this.#add(key, weights[slot]!);
    });
  }

  #carry(summary: WeightedSummary): void {
    let carried = summary;
    let level = 0;
    for (let other = this.#levels[0]; other !== undefined; other = this.#levels[level]) {
      carried = pruneSummary(mergeSummaries(other, carried), PRUNED_SIZE);
      this.#levels[level] = undefined;
      level += 1;
    }
    this.#levels[level] = carried;
  }

  #summariseTable(): WeightedSummary {
    const order = new Uint32Array(this.#distinct);
    const weight = new Float64Array(this.#distinct);
    let count = 0;
    for (let slot = 0; slot < this.#keys.length; slot += 1) {
      const key = this.#keys[slot]!;
      if (key === FREE) continue;
      order[count] = flipFloat(key);
      weight[count] = this.#weights[slot]!;
      count += 1;
    }
    radixSort(order, weight);
    const values = new Float32Array(count);
    const bits = new Uint32Array(values.buffer);
    const rankMin = new Float64Array(count);
    const rankMax = new Float64Array(count);
    let rank = 0;
    for (let i = 0; i < count; i += 1) {
      bits[i] = unflipFloat(order[i]!);
      rankMin[i] = rank;
      rank += weight[i]!;
      rankMax[i] = rank;
    }
    return { values, rankMin, rankMax, weight };
  }

  /** What was pushed so far. The sketch can go on. */
  summary(): WeightedSummary {
    let whole: WeightedSummary | undefined;
    for (let level = this.#levels.length - 1; level >= 0; level -= 1) {
      const part = this.#levels[level];
      if (part !== undefined) whole = whole === undefined ? part : mergeSummaries(whole, part);
    }
    const table = this.#summariseTable();
    return whole === undefined ? table : mergeSummaries(whole, table);
  }
}

export function createSketch(): QuantileSketch {
  return new QuantileSketch();
}
