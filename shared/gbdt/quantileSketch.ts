// A streaming summary of one numeric column: which values, and how much weight up to each. Exact while the distinct
// values are few; beyond that its memory stays bounded and ranks are approximate.

import { flipFloat, radixSort, unflipFloat } from './metric/radixSort.ts';
import type { WeightedSummary } from './weightedSummary.ts';
import { mergeSummaries, pruneSummary } from './weightedSummary.ts';

/** Distinct values that are counted exactly. */
const EXACT_DISTINCT = 65_536;
/** Entries of a pruned summary. Each of log2(batches) levels adds a rank error of about half a part in this many. */
const PRUNED_SIZE = 16_384;
const FIRST_CAPACITY = 64;
/** Bits of a NaN: no value has them, so they mark a free slot. */
const FREE = 0xffffffff;

interface ValueBuffer {
  readonly keys: Uint32Array;
  readonly weights: Float64Array;
  count: number;
}

/**
 * Feed it batches in row order: the result depends on that order (beyond EXACT_DISTINCT values), not on batch sizes.
 * NaN (missing), infinities and values of weight 0 are passed over. Memory: at most about 10 MB, a few KB for columns of few values.
 */
export class QuantileSketch {
  // Open addressing: the bits of a value and its weight so far.
  #keys = new Uint32Array(FIRST_CAPACITY).fill(FREE);
  #weights = new Float64Array(FIRST_CAPACITY);
  #distinct = 0;
  /** Once there are too many distinct values to count: ordered keys and weights as they come. */
  #buffer: ValueBuffer | undefined;
  /** levels[l] summarises 2^l full buffers, or is undefined: a binary counter. */
  readonly #levels: (WeightedSummary | undefined)[] = [];

  /** @param weights weight of each value (raw row weights, without scale_pos_weight); all 1 when left out. */
  push(values: Float32Array, weights?: ArrayLike<number>): void {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < values.length; i += 1) {
      let key = bits[i]!;
      if ((key & 0x7f800000) === 0x7f800000) continue;
      if (key === 0x80000000) key = 0;
      const weight = weights === undefined ? 1 : weights[i]!;
      if (weight === 0) continue;
      if (this.#buffer === undefined) this.#count(key, weight);
      else this.#append(this.#buffer, flipFloat(key), weight);
    }
  }

  #append(buffer: ValueBuffer, key: number, weight: number): void {
    buffer.keys[buffer.count] = key;
    buffer.weights[buffer.count] = weight;
    buffer.count += 1;
    if (buffer.count < buffer.keys.length) return;
    this.#carry(pruneSummary(summarise(buffer.keys, buffer.weights), PRUNED_SIZE));
    buffer.count = 0;
  }

  #count(key: number, weight: number): void {
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
      this.#buffer = {
        keys: new Uint32Array(EXACT_DISTINCT),
        weights: new Float64Array(EXACT_DISTINCT),
        count: 0,
      };
      this.#keys = new Uint32Array(0);
      this.#weights = new Float64Array(0);
      this.#distinct = 0;
      return;
    }
    const [keys, weights] = [this.#keys, this.#weights];
    this.#keys = new Uint32Array(keys.length * 2).fill(FREE);
    this.#weights = new Float64Array(keys.length * 2);
    this.#distinct = 0;
    keys.forEach((key, slot) => {
      if (key !== FREE) this.#count(key, weights[slot]!);
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
    return summarise(order, weight);
  }

  /** What was pushed so far. The sketch can go on. */
  summary(): WeightedSummary {
    let whole: WeightedSummary | undefined;
    for (let level = this.#levels.length - 1; level >= 0; level -= 1) {
      const part = this.#levels[level];
      if (part !== undefined) whole = whole === undefined ? part : mergeSummaries(whole, part);
    }
    const rest =
      this.#buffer === undefined
        ? this.#summariseTable()
        : summarise(
            this.#buffer.keys.slice(0, this.#buffer.count),
            this.#buffer.weights.slice(0, this.#buffer.count),
          );
    return whole === undefined ? rest : mergeSummaries(whole, rest);
  }
}

/** The exact summary of values given by their ordered keys; sorts its arguments. */
function summarise(keys: Uint32Array, weights: Float64Array): WeightedSummary {
  radixSort(keys, weights);
  const values = new Float32Array(keys.length);
  const bits = new Uint32Array(values.buffer);
  const rankMin = new Float64Array(keys.length);
  const rankMax = new Float64Array(keys.length);
  const weight = new Float64Array(keys.length);
  let distinct = 0;
  let rank = 0;
  for (let i = 0; i < keys.length; i += 1) {
    if (i === 0 || keys[i] !== keys[i - 1]) {
      bits[distinct] = unflipFloat(keys[i]!);
      rankMin[distinct] = rank;
      distinct += 1;
    }
    rank += weights[i]!;
    weight[distinct - 1]! += weights[i]!;
    rankMax[distinct - 1] = rank;
  }
  return {
    values: values.slice(0, distinct),
    rankMin: rankMin.slice(0, distinct),
    rankMax: rankMax.slice(0, distinct),
    weight: weight.slice(0, distinct),
  };
}

export function createSketch(): QuantileSketch {
  return new QuantileSketch();
}
