// A streaming summary of one numeric column: which values, and how much weight up to each. Exact while the distinct
// values are few; beyond that its memory stays bounded and ranks are approximate.

import { flipFloat } from './metric/radixSort.ts';
import { SketchRoom, summariseKeys } from './sortedSummary.ts';
import { ValueTable } from './valueTable.ts';
import type { WeightedSummary } from './weightedSummary.ts';
import { mergeSummaries } from './weightedSummary.ts';

/** Distinct values that are counted exactly. */
const EXACT_DISTINCT = 65_536;
/** Entries of a pruned summary. Each of log2(batches) levels adds a rank error of about half a part in this many. */
const PRUNED_SIZE = 16_384;
/** With more distinct values than this, most columns turn out to have too many to count: some rows are read before a table is made. */
const FEW_DISTINCT = 2048;

interface ValueBuffer {
  readonly keys: Uint32Array<ArrayBuffer>;
  /** Undefined while all values weigh 1. */
  weights: Float64Array<ArrayBuffer> | undefined;
  count: number;
}

/**
 * Feed it batches in row order: the result depends on that order (beyond EXACT_DISTINCT values), not on batch sizes.
 * NaN (missing), infinities and values of weight 0 are passed over. Memory: at most about 10 MB, a few KB for columns of few values.
 */
export class QuantileSketch {
  /** What is counted exactly; undefined once there are too many distinct values for that. */
  #table: ValueTable | undefined = new ValueTable();
  /** Distinct values with which the table is left as it is. */
  #mostCounted = FEW_DISTINCT;
  /** Ordered keys and weights as they come: behind those of the table, which they may still go to, or to be summarised. */
  #buffer: ValueBuffer | undefined;
  #taken = 0;
  /** levels[l] summarises 2^l full buffers, or is undefined: a binary counter. */
  readonly #levels: (WeightedSummary | undefined)[] = [];
  readonly #room: SketchRoom;

  /** @param room shared with other sketches that are fed in turn. */
  constructor(room: SketchRoom = createSketchRoom()) {
    this.#room = room;
  }

  /** Values that were taken in: all that were pushed but those that are passed over. */
  get taken(): number {
    return this.#taken;
  }

  /** @param weights weight of each value (raw row weights, without scale_pos_weight); all 1 when left out. */
  push(values: Float32Array, weights?: ArrayLike<number>): void {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let at = 0; at < bits.length;) {
      if (this.#buffer !== undefined) {
        const before = this.#buffer.count;
        at = fill(this.#buffer, bits, weights, at);
        this.#taken += this.#buffer.count - before;
        if (this.#buffer.count === this.#buffer.keys.length) this.#empty(this.#buffer);
        continue;
      }
      const incoming: ValueBuffer = { keys: this.#room.incoming, weights: undefined, count: 0 };
      at = fill(incoming, bits, weights, at);
      this.#taken += incoming.count;
      this.#count(incoming);
    }
  }

  /** Counts as many values as the table takes; the others begin a buffer. */
  #count({ keys, weights, count }: ValueBuffer): void {
    const table = this.#table!;
    const counted = table.add(keys.subarray(0, count), weights?.subarray(0, count), this.#mostCounted);
    if (table.distinct <= this.#mostCounted) return;
    if (this.#mostCounted === EXACT_DISTINCT) this.#leaveTable(table);
    const buffer: ValueBuffer = {
      keys: new Uint32Array(EXACT_DISTINCT),
      weights: weights && new Float64Array(EXACT_DISTINCT),
      count: count - counted,
    };
    buffer.keys.set(keys.subarray(counted, count));
    if (weights) buffer.weights!.set(weights.subarray(counted, count));
    this.#buffer = buffer;
    if (buffer.count === EXACT_DISTINCT) this.#empty(buffer);
  }

  #empty(buffer: ValueBuffer): void {
    if (this.#table !== undefined) {
      this.#decide(this.#table, buffer);
      return;
    }
    this.#carry(this.#room.summarise(buffer.keys, buffer.weights));
    buffer.count = 0;
  }

  /** Counts what is buffered, in memory that sketches share, and keeps a table of it unless it has too many values. */
  #decide(table: ValueTable, buffer: ValueBuffer): void {
    const { keys, weights, count } = buffer;
    const whole = this.#room.table;
    whole.clear();
    whole.add(...table.entries(), EXACT_DISTINCT);
    const counted = whole.add(keys.subarray(0, count), weights?.subarray(0, count), EXACT_DISTINCT);
    this.#mostCounted = EXACT_DISTINCT;
    if (whole.distinct <= EXACT_DISTINCT) {
      this.#table = new ValueTable(2 ** Math.ceil(Math.log2(2 * whole.distinct)));
      this.#table.add(...whole.entries(), EXACT_DISTINCT);
      this.#buffer = undefined;
      return;
    }
    this.#leaveTable(whole);
    keys.copyWithin(0, counted, count);
    weights?.copyWithin(0, counted, count);
    buffer.count = count - counted;
  }

  #leaveTable(table: ValueTable): void {
    this.#carry(this.#room.summarise(...table.entries()));
    this.#table = undefined;
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

  /**
   * What was pushed so far. The sketch can go on.
   * @returns arrays that may be used again once a sketch of the same room is fed or asked.
   */
  summary(): WeightedSummary {
    if (this.#table !== undefined && this.#buffer !== undefined) this.#decide(this.#table, this.#buffer);
    const rest =
      this.#buffer === undefined
        ? summariseKeys(...this.#table!.entries(), this.#room)
        : summariseKeys(
            this.#buffer.keys.slice(0, this.#buffer.count),
            this.#buffer.weights?.slice(0, this.#buffer.count),
            this.#room,
          );
    const parts = [...this.#levels.toReversed().filter((part) => part !== undefined), rest];
    const places = this.#room.places(parts.reduce((size, { values }) => size + values.length, 0));
    return parts.reduce((whole, part, i) => mergeSummaries(whole, part, places[i & 1]));
  }
}

/** Appends ordered keys until the buffer is full. @returns how far it came. */
function fill(
  buffer: ValueBuffer,
  bits: Uint32Array,
  weights: ArrayLike<number> | undefined,
  from: number,
): number {
  if (weights === undefined) return fillKeys(buffer, bits, from);
  buffer.weights ??= new Float64Array(buffer.keys.length).fill(1, 0, buffer.count);
  return fillWeighted(buffer, buffer.weights, bits, weights, from);
}

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
  held: Float64Array,
  bits: Uint32Array,
  weights: ArrayLike<number>,
  from: number,
): number {
  const { keys } = buffer;
  let count = buffer.count;
  let i = from;
  for (; i < bits.length && count < keys.length; i += 1) {
    const key = bits[i]!;
    const weight = weights[i]!;
    if ((key & 0x7f800000) === 0x7f800000 || weight === 0) continue;
    keys[count] = flipFloat(key === 0x80000000 ? 0 : key);
    held[count] = weight;
    count += 1;
  }
  buffer.count = count;
  return i;
}

/** Room for any number of sketches of one pass. */
export function createSketchRoom(): SketchRoom {
  return new SketchRoom(EXACT_DISTINCT, PRUNED_SIZE);
}

export function createSketch(): QuantileSketch {
  return new QuantileSketch();
}
