// A streaming summary of one numeric column: which values, and how much weight up to each. Exact while the distinct
// values are few; beyond that its memory stays bounded and ranks are approximate.

import { flipFloat } from './metric/radixSort.ts';
import { SketchRoom, summariseKeys } from './sortedSummary.ts';
import type { WeightedSummary } from './weightedSummary.ts';
import { mergeSummaries } from './weightedSummary.ts';

/** Distinct values that are counted exactly. */
const EXACT_DISTINCT = 65_536;
/** Entries of a pruned summary. Each of log2(batches) levels adds a rank error of about half a part in this many. */
const PRUNED_SIZE = 16_384;
const FIRST_CAPACITY = 64;
/** Bits of a NaN: no value has them, so they mark a free slot. */
const FREE = 0xffffffff;

interface ValueBuffer {
  readonly keys: Uint32Array;
  /** Undefined while all values weigh 1. */
  weights: Float64Array | undefined;
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
  readonly #room: SketchRoom;

  /** @param room shared with other sketches that are fed in turn. */
  constructor(room: SketchRoom = createSketchRoom()) {
    this.#room = room;
  }

  /** @param weights weight of each value (raw row weights, without scale_pos_weight); all 1 when left out. */
  push(values: Float32Array, weights?: ArrayLike<number>): void {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let at = 0; at < bits.length;) {
      at =
        this.#buffer === undefined
          ? this.#count(bits, weights, at)
          : this.#append(this.#buffer, bits, weights, at);
    }
  }

  /** @returns how far it came: to the end, or until the buffer was full and is empty again. */
  #append(
    buffer: ValueBuffer,
    bits: Uint32Array,
    weights: ArrayLike<number> | undefined,
    from: number,
  ): number {
    if (weights !== undefined) buffer.weights ??= new Float64Array(buffer.keys.length).fill(1);
    const at =
      weights === undefined ? fillKeys(buffer, bits, from) : fillWeighted(buffer, bits, weights, from);
    if (buffer.count < buffer.keys.length) return at;
    this.#carry(this.#room.summarise(buffer.keys, buffer.weights));
    buffer.count = 0;
    return at;
  }

  /** @returns how far it came: to the end, or until the table had to change. */
  #count(bits: Uint32Array, weights: ArrayLike<number> | undefined, from: number): number {
    const keys = this.#keys;
    const sums = this.#weights;
    const mask = keys.length - 1;
    for (let i = from; i < bits.length; i += 1) {
      let key = bits[i]!;
      if ((key & 0x7f800000) === 0x7f800000) continue;
      if (key === 0x80000000) key = 0;
      const weight = weights === undefined ? 1 : weights[i]!;
      if (weight === 0) continue;
      const slot = slotOf(keys, mask, key);
      if (keys[slot] === key) {
        sums[slot]! += weight;
        continue;
      }
      keys[slot] = key;
      sums[slot] = weight;
      this.#distinct += 1;
      if (this.#distinct * 2 > keys.length) {
        this.#makeRoom();
        return i + 1;
      }
    }
    return bits.length;
  }

  #makeRoom(): void {
    if (this.#distinct > EXACT_DISTINCT) {
      const [order, weight] = this.#counted();
      this.#carry(this.#room.summarise(order, weight));
      this.#buffer = { keys: new Uint32Array(EXACT_DISTINCT), weights: undefined, count: 0 };
      this.#keys = new Uint32Array(0);
      this.#weights = new Float64Array(0);
      this.#distinct = 0;
      return;
    }
    const [keys, weights] = [this.#keys, this.#weights];
    const [grown, grownWeights] = [
      new Uint32Array(keys.length * 2).fill(FREE),
      new Float64Array(keys.length * 2),
    ];
    for (let slot = 0; slot < keys.length; slot += 1) {
      const key = keys[slot]!;
      if (key === FREE) continue;
      const to = slotOf(grown, grown.length - 1, key);
      grown[to] = key;
      grownWeights[to] = weights[slot]!;
    }
    this.#keys = grown;
    this.#weights = grownWeights;
  }

  #carry(summary: WeightedSummary): void {
    let carried = summary;
    let level = 0;
    for (let other = this.#levels[0]; other !== undefined; other = this.#levels[level]) {
      const joined = this.#room.keep(mergeSummaries(other, carried, this.#room.entries));
      this.#room.give(other);
      this.#room.give(carried);
      carried = joined;
      this.#levels[level] = undefined;
      level += 1;
    }
    this.#levels[level] = carried;
  }

  /** The values counted so far as ordered keys, in no order, and their weights. */
  #counted(): [keys: Uint32Array, weights: Float64Array] {
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
    return [order, weight];
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
        ? summariseKeys(...this.#counted(), this.#room)
        : summariseKeys(
            this.#buffer.keys.slice(0, this.#buffer.count),
            this.#buffer.weights?.slice(0, this.#buffer.count),
            this.#room,
          );
    return whole === undefined ? rest : mergeSummaries(whole, rest);
  }
}

/** The slot that holds a key, or else is free for it. */
function slotOf(keys: Uint32Array, mask: number, key: number): number {
  let slot = Math.imul(key ^ (key >>> 15), 0x9e3779b1) & mask;
  while (keys[slot] !== key && keys[slot] !== FREE) slot = (slot + 1) & mask;
  return slot;
}

/** Appends ordered keys until the buffer is full. @returns how far it came. */
function fillKeys(buffer: ValueBuffer, bits: Uint32Array, from: number): number {
  const { keys, weights } = buffer;
  let count = buffer.count;
  let i = from;
  for (; i < bits.length && count < keys.length; i += 1) {
    const key = bits[i]!;
    if ((key & 0x7f800000) === 0x7f800000) continue;
    keys[count] = flipFloat(key === 0x80000000 ? 0 : key);
    count += 1;
  }
  weights?.fill(1, buffer.count, count);
  buffer.count = count;
  return i;
}

function fillWeighted(
  buffer: ValueBuffer,
  bits: Uint32Array,
  weights: ArrayLike<number>,
  from: number,
): number {
  const { keys, weights: held } = buffer;
  let count = buffer.count;
  let i = from;
  for (; i < bits.length && count < keys.length; i += 1) {
    const key = bits[i]!;
    const weight = weights[i]!;
    if ((key & 0x7f800000) === 0x7f800000 || weight === 0) continue;
    keys[count] = flipFloat(key === 0x80000000 ? 0 : key);
    held![count] = weight;
    count += 1;
  }
  buffer.count = count;
  return i;
}

/** Room for any number of sketches of one pass. */
export function createSketchRoom(): SketchRoom {
  return new SketchRoom(EXACT_DISTINCT + 1, PRUNED_SIZE);
}

export function createSketch(): QuantileSketch {
  return new QuantileSketch();
}
