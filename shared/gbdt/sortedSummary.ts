// The summary of values that are sorted at once, exact or thinned, and the memory that sketches share for it.

import { radixSort, unflipFloat } from './metric/radixSort.ts';
import { ValueTable } from './valueTable.ts';
import { firstEntries, pruneSummary, summaryOfSize, type WeightedSummary } from './weightedSummary.ts';

/**
 * Memory that the sketches of a pass take turns in; made when it is first needed. Thinned summaries that are no longer needed
 * come back and are filled again: new memory for each would be most of the time that a sketch takes.
 */
export class SketchRoom {
  readonly #size: number;
  readonly #thinnedSize: number;
  #keys: Uint32Array<ArrayBuffer> | undefined;
  #weights: Float64Array<ArrayBuffer> | undefined;
  #entries: WeightedSummary | undefined;
  #incoming: Uint32Array<ArrayBuffer> | undefined;
  #table: ValueTable | undefined;
  #places: readonly [WeightedSummary, WeightedSummary] | undefined;
  readonly #free: WeightedSummary[] = [];

  /**
   * @param size values that are counted exactly at most, a power of two; one more is summarised at once, and two summaries have no
   * more entries together.
   * @param thinnedSize entries of a summary that is kept.
   */
  constructor(size: number, thinnedSize: number) {
    this.#size = size + 1;
    this.#thinnedSize = thinnedSize;
  }

  get keys(): Uint32Array<ArrayBuffer> {
    return (this.#keys ??= new Uint32Array(this.#size));
  }

  get weights(): Float64Array<ArrayBuffer> {
    return (this.#weights ??= new Float64Array(this.#size));
  }

  get entries(): WeightedSummary {
    return (this.#entries ??= summaryOfSize(this.#size));
  }

  /** For values on their way to a table. */
  get incoming(): Uint32Array<ArrayBuffer> {
    return (this.#incoming ??= new Uint32Array(this.#size));
  }

  /** As large as a table becomes; what it holds is of the sketch that used it last. */
  get table(): ValueTable {
    return (this.#table ??= new ValueTable(2 * (this.#size - 1)));
  }

  /** Two places for summaries of so many entries: one is merged into the other. */
  places(entries: number): readonly [WeightedSummary, WeightedSummary] {
    const [held] = this.#places ?? [];
    if (held && held.values.length >= entries) return this.#places!;
    return (this.#places = [summaryOfSize(entries), summaryOfSize(entries)]);
  }

  /** A summary in memory of its own, of at most as many entries as are kept. @param whole may be views of `entries`. */
  keep(whole: WeightedSummary): WeightedSummary {
    if (whole.values.length <= this.#thinnedSize) return copySummary(whole);
    return pruneSummary(whole, this.#thinnedSize, this.take());
  }

  /** Room for a thinned summary; its contents are unspecified. */
  take(): WeightedSummary {
    return this.#free.pop() ?? summaryOfSize(this.#thinnedSize);
  }

  /** Takes back the memory of a summary that will not be read again. */
  give({ values, rankMin, rankMax, weight }: WeightedSummary): void {
    if (values.buffer.byteLength !== 4 * this.#thinnedSize) return;
    this.#free.push({
      values: new Float32Array(values.buffer),
      rankMin: new Float64Array(rankMin.buffer),
      rankMax: new Float64Array(rankMax.buffer),
      weight: new Float64Array(weight.buffer),
    });
  }

  /** At most as many entries as are kept of the summary of values; see summariseKeys. */
  summarise(keys: Uint32Array, weights: Float64Array | undefined): WeightedSummary {
    if (weights !== undefined) return this.keep(summariseWeighted(keys, weights, this));
    radixSort(keys, undefined, this);
    const distinct = countDistinct(keys);
    if (distinct <= this.#thinnedSize) return summariseSorted(keys, summaryOfSize(distinct));
    return thinSorted(keys, this.take());
  }
}

/**
 * The exact summary of values that are given by their ordered keys (flipFloat), in memory of its own. Sorts its arguments.
 * @param weights of the values; all 1 when left out.
 */
export function summariseKeys(
  keys: Uint32Array,
  weights: Float64Array | undefined,
  room: SketchRoom,
): WeightedSummary {
  if (weights !== undefined) return copySummary(summariseWeighted(keys, weights, room));
  radixSort(keys, undefined, room);
  return summariseSorted(keys, summaryOfSize(countDistinct(keys)));
}

/** @returns views of the room's entries. */
function summariseWeighted(keys: Uint32Array, weights: Float64Array, room: SketchRoom): WeightedSummary {
  radixSort(keys, weights, { keys: room.keys, payload: room.weights });
  const { values, rankMin, rankMax, weight } = room.entries;
  const bits = new Uint32Array(values.buffer);
  let distinct = 0;
  let rank = 0;
  for (let i = 0; i < keys.length; i += 1) {
    if (i === 0 || keys[i] !== keys[i - 1]) {
      bits[distinct] = unflipFloat(keys[i]!);
      rankMin[distinct] = rank;
      weight[distinct] = 0;
      distinct += 1;
    }
    rank += weights[i]!;
    weight[distinct - 1]! += weights[i]!;
    rankMax[distinct - 1] = rank;
  }
  return firstEntries(room.entries, distinct);
}

function copySummary({ values, rankMin, rankMax, weight }: WeightedSummary): WeightedSummary {
  return {
    values: values.slice(),
    rankMin: rankMin.slice(),
    rankMax: rankMax.slice(),
    weight: weight.slice(),
  };
}

function countDistinct(keys: Uint32Array): number {
  let distinct = keys.length === 0 ? 0 : 1;
  for (let i = 1; i < keys.length; i += 1) if (keys[i] !== keys[i - 1]) distinct += 1;
  return distinct;
}

/** Ranks of values that weigh 1 are their places. @param summary as many entries as there are distinct keys. */
function summariseSorted(keys: Uint32Array, summary: WeightedSummary): WeightedSummary {
  const bits = new Uint32Array(summary.values.buffer);
  let count = 0;
  for (let place = 0; place < keys.length; count += 1)
    place = putRun(keys, place, place, summary, bits, count);
  return summary;
}

/**
 * What pruneSummary makes of the summary of values that weigh 1. Of neighbours, the one that it looks for at a rank is then
 * the one that stands there, so that the others need not be looked at.
 * @param summary as many entries as are to be left; there are more distinct keys than that.
 */
function thinSorted(keys: Uint32Array, summary: WeightedSummary): WeightedSummary {
  const bits = new Uint32Array(summary.values.buffer);
  const parts = bits.length - 1;
  let last = keys.length - 1;
  while (keys[last - 1] === keys[last]) last -= 1;
  const begin = putRun(keys, 0, 0, summary, bits, 0);
  let end = begin;
  let count = 1;
  for (let k = 1; k < parts; k += 1) {
    const place = Math.floor((k * (last - begin)) / parts + begin);
    if (place >= last) break;
    if (place < end) continue;
    end = putRun(keys, end, place, summary, bits, count);
    count += 1;
  }
  putRun(keys, last, last, summary, bits, count);
  return firstEntries(summary, count + 1);
}

/**
 * Writes the entry of the equal keys around `place`, none of which stands before `first`.
 * @param bits of the summary's values.
 * @returns where the next larger key begins.
 */
function putRun(
  keys: Uint32Array,
  first: number,
  place: number,
  { rankMin, rankMax, weight }: WeightedSummary,
  bits: Uint32Array,
  entry: number,
): number {
  const key = keys[place]!;
  let start = place;
  while (start > first && keys[start - 1] === key) start -= 1;
  let end = place + 1;
  while (end < keys.length && keys[end] === key) end += 1;
  bits[entry] = unflipFloat(key);
  rankMin[entry] = start;
  rankMax[entry] = end;
  weight[entry] = end - start;
  return end;
}
