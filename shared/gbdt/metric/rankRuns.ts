// Rows in the order of their margins, as runs of equal margin with the weight of each class: what the exact area under
// the ROC curve needs. Runs travel between workers as variable-length integers.

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
  const scale = weightScale(span);
  const rows = blocks.reduce((sum, block) => sum + block.rows, 0);
  const keys = new Uint32Array(rows);
  const places = new Uint32Array(rows);
  const counts = new Float64Array(rows);
  const isPositive = new Uint8Array(rows);
  let at = 0;
  for (const { margins, labels, weights, rows: count } of blocks) {
    for (let row = 0; row < count; row += 1, at += 1) {
      keys[at] = (margins[row]! ^ 0x80000000) >>> 0;
      places[at] = at;
      counts[at] = weights === undefined ? 1 : Math.round(weights[row]! * scale);
      isPositive[at] = labels[row]!;
    }
  }
  radixSort(keys, places);
  const margins = new Int32Array(rows);
  const negatives = new Float64Array(rows);
  const positives = new Float64Array(rows);
  let runs = 0;
  for (let i = 0; i < rows; i += 1) {
    if (i === 0 || keys[i] !== keys[i - 1]) {
      margins[runs] = keys[i]! ^ 0x80000000;
      runs += 1;
    }
    const place = places[i]!;
    const side = isPositive[place] === 1 ? positives : negatives;
    side[runs - 1]! += counts[place]!;
  }
  return {
    margins: margins.subarray(0, runs),
    negatives: negatives.subarray(0, runs),
    positives: positives.subarray(0, runs),
  };
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
