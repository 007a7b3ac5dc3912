// Turns columns of values into bin codes: once over all data, so the loop is kept tight.

import { MAX_VALUE_BINS, MISSING_BIN } from '../../kernels/gbdt/treeDevice.ts';
import type { FeatureCuts } from './cuts.ts';
import { CategoryError } from './errors/gbdtErrors.ts';
import { flipFloat } from './metric/radixSort.ts';

/** Bin codes of a batch of values of one feature. NaN becomes MISSING_BIN; values beyond the cuts go to the outer bins. */
export type Binner = (values: Float32Array) => Uint8Array<ArrayBuffer>;

/** Values are first looked up by the upper 16 bits of their order-preserving key. */
const BUCKETS = 1 << 16;

/** A feature's table takes this much. */
const TABLE_BYTES = 4 * BUCKETS;
const MOST_TABLE_BYTES = 128 * 1024 * 1024;

/** Whether tables of look-ups are made in less time than they save, and do not take too much. */
export function tablesPay(rows: number, features: number): boolean {
  return rows >= BUCKETS / 2 && features * TABLE_BYTES <= MOST_TABLE_BYTES;
}

/**
 * Prepares the look-up of one numeric feature; use the binner for all batches of the column.
 * @param usesTable look values up in a table of 256 KB, and not by bisection alone.
 */
export function createBinner({ cuts }: FeatureCuts, usesTable = true): Binner {
  const last = cuts.length - 1;
  if (!usesTable) return (values) => Uint8Array.from(values, (value) => bisect(cuts, value));
  const { lowest, highest } = bucketRanges(cuts);
  return (values) => {
    const codes = new Uint8Array(values.length);
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < codes.length; i += 1) {
      const value = values[i]!;
      // NaN is the only number unlike itself.
      if (value !== value) {
        codes[i] = MISSING_BIN;
        continue;
      }
      const raw = bits[i]!;
      const bucket = (raw & 0x80000000 ? ~raw : raw | 0x80000000) >>> 16;
      let low = lowest[bucket]!;
      let high = highest[bucket]!;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (cuts[middle]! <= value) low = middle + 1;
        else high = middle;
      }
      codes[i] = low > last ? last : low;
    }
    return codes;
  };
}

/** The bin of a value; MISSING_BIN for NaN. */
function bisect(cuts: Float32Array, value: number): number {
  // NaN is the only number unlike itself.
  if (value !== value) return MISSING_BIN;
  let low = 0;
  let high = cuts.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cuts[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** For each bucket, the bins of its smallest and its largest value. */
function bucketRanges(cuts: Float32Array): { lowest: Uint16Array; highest: Uint16Array } {
  const lowest = new Uint16Array(BUCKETS);
  const highest = new Uint16Array(BUCKETS);
  const number = new Float32Array(1);
  const bits = new Uint32Array(number.buffer);
  const keys = Array.from(cuts, (cut) => {
    number[0] = cut;
    // Zero has two keys; a value of -0 must find itself at or above a cut of 0.
    return cut === 0 ? unsignedZeroKey(bits) : flipFloat(bits[0]!);
  });
  let below = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
    lowest[bucket] = below;
    while (below < keys.length && keys[below]! <= bucket * 65536 + 65535) below += 1;
    highest[bucket] = below;
  }
  return { lowest, highest };
}

/** The key of -0, the smaller one. */
function unsignedZeroKey(bits: Uint32Array): number {
  bits[0] = 0x80000000;
  return flipFloat(bits[0]);
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
