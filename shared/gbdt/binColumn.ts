// Turns columns of values into bin codes: once over all data, so the loop is kept tight.

import { MAX_VALUE_BINS, MISSING_BIN } from '../../kernels/gbdt/treeDevice.ts';
import type { FeatureCuts } from './cuts.ts';
import { CategoryError } from './errors/gbdtErrors.ts';
import { flipFloat } from './metric/radixSort.ts';

/** Bin codes of a batch of values of one feature. NaN becomes MISSING_BIN; values beyond the cuts go to the outer bins. */
export type Binner = (values: Float32Array) => Uint8Array<ArrayBuffer>;

/** Values are first looked up by a part of their order-preserving key (flipFloat), at most this many parts of it. */
const KEY_BITS = 32;
const BUCKET_BITS = 16;
const MOST_BUCKETS = 1 << BUCKET_BITS;

/** A feature's table takes at most this much. */
const TABLE_BYTES = 5 * MOST_BUCKETS;
const MOST_TABLE_BYTES = 128 * 1024 * 1024;

/** Whether tables of look-ups are made in less time than they save, and do not take too much. */
export function tablesPay(rows: number, features: number): boolean {
  return rows >= MOST_BUCKETS / 2 && features * TABLE_BYTES <= MOST_TABLE_BYTES;
}

/**
 * Prepares the look-up of one numeric feature; use the binner for all batches of the column.
 * @param usesTable look values up in a table of 320 KB, and not by bisection alone.
 */
export function createBinner({ cuts }: FeatureCuts, usesTable = true): Binner {
  // The last cut lies above all values: what is beyond it belongs to the last bin as well.
  const inner = cuts.subarray(0, cuts.length - 1);
  if (!usesTable || inner.length === 0) {
    return (values) => {
      const codes = new Uint8Array(values.length);
      for (let i = 0; i < codes.length; i += 1) codes[i] = bisect(inner, values[i]!, 0, inner.length);
      return codes;
    };
  }
  const table = bucketTable(inner);
  return (values) => lookUp(table, values);
}

/** The bin of a value that lies in one from `low` to `high`; MISSING_BIN for NaN. */
function bisect(cuts: Float32Array, value: number, low: number, high: number): number {
  // NaN is the only number unlike itself.
  if (value !== value) return MISSING_BIN;
  let from = low;
  let to = high;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (cuts[middle]! <= value) from = middle + 1;
    else to = middle;
  }
  return from;
}

interface BucketTable {
  /** All cuts but the last. */
  readonly cuts: Float32Array;
  /** Keys outside of these have no bucket. */
  readonly first: number;
  readonly last: number;
  /** The bucket of a key is (key - first) >>> shift. */
  readonly shift: number;
  /**
   * For each bucket, the bin of its smallest value, and eight bits further up where the next bin begins in it, in keys from the
   * bucket's start; the bucket's size where it does not. Negative where more than two bins meet, or values may be NaN.
   */
  readonly entries: Int32Array;
  /** How many cuts lie in a bucket. */
  readonly spans: Uint8Array;
}

function bucketTable(cuts: Float32Array): BucketTable {
  const bits = new Uint32Array(cuts.buffer, cuts.byteOffset, cuts.length);
  // Zero has two keys; a value of -0 must find itself at or above a cut of 0.
  const keys = Array.from(cuts, (cut, i) => flipFloat(cut === 0 ? 0x80000000 : bits[i]!));
  const { first, last, shift } = bucketsOf(keys);
  const size = ((last - first) >>> shift) + 1;
  const width = 2 ** shift;
  const entries = new Int32Array(size);
  const spans = new Uint8Array(size);
  let below = 0;
  for (let bucket = 0; bucket < size; bucket += 1) {
    const start = first + bucket * width;
    const lowest = below;
    while (below < keys.length && keys[below]! < start + width) below += 1;
    const span = (spans[bucket] = below - lowest);
    const begins = span === 0 ? width : keys[lowest]! - start;
    const mayBeNaN = start + width > POSITIVE_NAN || start < NEGATIVE_NAN;
    entries[bucket] = span > 1 || mayBeNaN ? lowest - 2 ** 31 : lowest + begins * 256;
  }
  return { cuts, first, last, shift, entries, spans };
}

/** Keys from this on, and below the other, are infinities and NaN. */
const POSITIVE_NAN = flipFloat(0x7f800000);
const NEGATIVE_NAN = flipFloat(0xff800000) + 1;

/**
 * All keys have a bucket where buckets of that size part the cuts, or buckets of the range that has cuts would be no smaller: then
 * no value falls beside them. Else the range is divided.
 */
function bucketsOf(keys: readonly number[]): Pick<BucketTable, 'first' | 'last' | 'shift'> {
  const widest = KEY_BITS - BUCKET_BITS;
  const arePart = keys.every((key, i) => i === 0 || key >>> widest !== keys[i - 1]! >>> widest);
  const first = keys[0]!;
  const last = keys.at(-1)!;
  let shift = 0;
  while ((last - first) / 2 ** shift >= MOST_BUCKETS) shift += 1;
  if (arePart || shift >= widest) return { first: 0, last: 0xffffffff, shift: widest };
  return { first, last, shift };
}

/** Most values get their bin without a branch that depends on them: the processor could not foresee it. */
function lookUp(
  { cuts, first, last, shift, entries, spans }: BucketTable,
  values: Float32Array,
): Uint8Array<ArrayBuffer> {
  const codes = new Uint8Array(values.length);
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const inside = 2 ** shift - 1;
  for (let i = 0; i < codes.length; i += 1) {
    const key = flipFloat(bits[i]!);
    if (key < first || key > last) {
      codes[i] = bisect(cuts, values[i]!, 0, cuts.length);
      continue;
    }
    const place = key - first;
    const bucket = place >>> shift;
    const entry = entries[bucket]!;
    const low = entry & 255;
    codes[i] =
      entry < 0
        ? bisect(cuts, values[i]!, low, low + spans[bucket]!)
        : low + (((entry >> 8) - 1 - (place & inside)) >>> 31);
  }
  return codes;
}

/** Bin codes of one batch; prefer createBinner for several batches of a column. */
export function binColumn(values: Float32Array, cuts: FeatureCuts): Uint8Array<ArrayBuffer> {
  return createBinner(cuts, false)(values);
}

/**
 * Bin codes of category codes; -1 and NaN stand for missing.
 * @throws CategoryError naming the row (counted from `firstRow`) of a code outside 0..categories-1.
 */
export function binCategories(
  codes: ArrayLike<number>,
  categories: number,
  place: { readonly column: string; readonly firstRow?: number },
): Uint8Array<ArrayBuffer> {
  const bins = new Uint8Array(codes.length);
  for (let i = 0; i < bins.length; i += 1) {
    const code = codes[i]!;
    if (code !== code || code === -1) {
      bins[i] = MISSING_BIN;
    } else if (Number.isInteger(code) && code >= 0 && code < categories) {
      bins[i] = code;
    } else {
      const row = (place.firstRow ?? 0) + i;
      throw new CategoryError(
        `categorical column "${place.column}", row ${row}: code ${code}, expected an integer from 0 to ${categories - 1}`,
        { column: place.column, row },
      );
    }
  }
  return bins;
}

/** @throws CategoryError when a categorical column has more categories than there are bins. */
export function checkCategoryCount(categories: number, column: string): void {
  if (categories <= MAX_VALUE_BINS) return;
  throw new CategoryError(
    `categorical column "${column}" has ${categories} categories, expected at most ${MAX_VALUE_BINS}; ` +
      `join rare ones or use the column as a number`,
    { column },
  );
}
