// Rows in the order of their margins, as runs of equal margin with the weight of each class: what the exact area under
// the ROC curve needs. Runs travel between workers as variable-length integers.

import { MARGIN_LIMIT } from '../../../kernels/gbdt/fixedPoint.ts';
import { rankInWasm } from '../../../kernels/gbdt/wasm/wasmSort.ts';
import { TreeFormatError } from '../errors/gbdtErrors.ts';
import { radixSort } from './radixSort.ts';
import type { MetricBlock } from './metric.ts';

/** Ascending distinct margins and the summed weights of the negative and positive rows at each. */
export interface RankRuns {
  readonly margins: Int32Array;
  readonly negatives: Float64Array;
  readonly positives: Float64Array;
}

/** What members must know of one another before weights become integers of one scale. */
export interface WeightSpan {
  readonly rows: number;
  readonly largest: number;
}

export function weightSpan(blocks: readonly MetricBlock[]): WeightSpan {
  let rows = 0;
  let largest = 0;
  for (const block of blocks) {
    rows += block.rows;
    for (const weight of block.weights ?? []) if (weight > largest) largest = weight;
  }
  return { rows, largest };
}

export function joinSpans(spans: readonly WeightSpan[]): WeightSpan {
  return spans.reduce((a, b) => ({ rows: a.rows + b.rows, largest: Math.max(a.largest, b.largest) }));
}

/** A power of two by which weights become integers whose sums over all rows are exact. */
function weightScale({ rows, largest }: WeightSpan): number {
  let scale = 1;
  const fits = (candidate: number): boolean => largest * candidate * rows <= 2 ** 52;
  if (largest === 0) return scale;
  while (fits(scale * 2)) scale *= 2;
  while (!fits(scale)) scale /= 2;
  return scale;
}

/** Sorts the rows of all blocks. Unweighted rows count 1 each. @param span over the blocks of all members. */
export function sortRuns(blocks: readonly MetricBlock[], span: WeightSpan): RankRuns {
  if (blocks.some(({ weights }) => weights !== undefined)) return sortWeighted(blocks, span);
  return rankInWasm(blocks) ?? sortCounted(blocks);
}

/** With the class as the lowest bit of the key, nothing has to move along. */
function sortCounted(blocks: readonly MetricBlock[]): RankRuns {
  const keys = new Uint32Array(rowsOf(blocks));
  let at = 0;
  for (const { margins, labels, rows } of blocks) {
    for (let row = 0; row < rows; row += 1, at += 1) {
      keys[at] = 2 * (margins[row]! + MARGIN_LIMIT) + labels[row]!;
    }
  }
  radixSort(keys);
  const runs = new RunBuilder(keys.length);
  for (const key of keys) runs.add((key >>> 1) - MARGIN_LIMIT, key & 1, 1);
  return runs.done();
}

function sortWeighted(blocks: readonly MetricBlock[], span: WeightSpan): RankRuns {
  const scale = weightScale(span);
  const keys = new Uint32Array(rowsOf(blocks));
  const places = Uint32Array.from(keys, (_, row) => row);
  const counts = new Float64Array(keys.length);
  let at = 0;
  for (const { margins, labels, weights, rows } of blocks) {
    for (let row = 0; row < rows; row += 1, at += 1) {
      keys[at] = 2 * (margins[row]! + MARGIN_LIMIT) + labels[row]!;
      counts[at] = weights === undefined ? 1 : Math.round(weights[row]! * scale);
    }
  }
  radixSort(keys, places);
  const runs = new RunBuilder(keys.length);
  keys.forEach((key, i) => runs.add((key >>> 1) - MARGIN_LIMIT, key & 1, counts[places[i]!]!));
  return runs.done();
}

function rowsOf(blocks: readonly MetricBlock[]): number {
  return blocks.reduce((sum, { rows }) => sum + rows, 0);
}

/** Collects rows in ascending order of their margins. */
class RunBuilder {
  readonly #margins: Int32Array;
  readonly #negatives: Float64Array;
  readonly #positives: Float64Array;
  #runs = 0;

  constructor(rows: number) {
    this.#margins = new Int32Array(rows);
    this.#negatives = new Float64Array(rows);
    this.#positives = new Float64Array(rows);
  }

  add(margin: number, positive: number, count: number): void {
    if (this.#runs === 0 || this.#margins[this.#runs - 1] !== margin) {
      this.#margins[this.#runs] = margin;
      this.#runs += 1;
    }
    const side = positive === 1 ? this.#positives : this.#negatives;
    side[this.#runs - 1]! += count;
  }

  done(): RankRuns {
    return {
      margins: this.#margins.subarray(0, this.#runs),
      negatives: this.#negatives.subarray(0, this.#runs),
      positives: this.#positives.subarray(0, this.#runs),
    };
  }
}

/** More than one worker holds rows for. */
const MAX_RUNS_BYTES = 2 ** 30;
/** A margin of 32 bits takes five groups of seven, a weight of 53 eight. */
const MOST_BYTES_A_RUN = 21;

/** Bytes of runs of so many rows, at most. */
export function mostRunBytes(rows: number): number {
  return Math.min(MAX_RUNS_BYTES, rows * MOST_BYTES_A_RUN);
}

/** Runs [first, end) as bytes: differences of margins, then both weights, each in groups of seven bits. */
export function encodeRuns(runs: RankRuns, first: number, end: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array((end - first) * MOST_BYTES_A_RUN);
  let at = 0;
  const put = (value: number): void => {
    let rest = value;
    while (rest >= 128) {
      bytes[at++] = 128 | (rest % 128);
      rest = Math.floor(rest / 128);
    }
    bytes[at++] = rest;
  };
  let before = -(2 ** 31);
  for (let i = first; i < end; i += 1) {
    put(runs.margins[i]! - before);
    before = runs.margins[i]!;
    put(runs.negatives[i]!);
    put(runs.positives[i]!);
  }
  return bytes.slice(0, at);
}

/** @throws TreeFormatError when a peer's bytes are not runs. */
export function decodeRuns(bytes: Uint8Array): RankRuns {
  // Three numbers of at least one byte make a run.
  const capacity = Math.floor(bytes.length / 3);
  const margins = new Int32Array(capacity);
  const negatives = new Float64Array(capacity);
  const positives = new Float64Array(capacity);
  let at = 0;
  const take = (): number => {
    let value = 0;
    for (let scale = 1; scale < 2 ** 53; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new TreeFormatError('malformed ranks of a peer: a number does not end');
  };
  let count = 0;
  let margin = -(2 ** 31);
  while (at < bytes.length) {
    margin += take();
    if (margin > 2 ** 31 - 1) throw new TreeFormatError(`malformed ranks of a peer: margin ${margin}`);
    margins[count] = margin;
    negatives[count] = take();
    positives[count] = take();
    count += 1;
  }
  return {
    margins: margins.subarray(0, count),
    negatives: negatives.subarray(0, count),
    positives: positives.subarray(0, count),
  };
}

/** Index of the first run whose margin is at least `margin`. */
export function firstAtLeast({ margins }: RankRuns, margin: number): number {
  let low = 0;
  let high = margins.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (margins[middle]! < margin) low = middle + 1;
    else high = middle;
  }
  return low;
}
