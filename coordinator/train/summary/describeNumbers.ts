// The range, mean and histogram of a column of numbers, from the summary that cuts are made of or from a sample.

import { HISTOGRAM_BINS, type ColumnSummary } from '../../../shared/api/datasetAnswers.ts';
import type { WeightedSummary } from '../../../shared/gbdt/weightedSummary.ts';

type Numbers = NonNullable<ColumnSummary['numbers']>;

/**
 * Exact where the summary has every value. Where values were left out, what lies between two entries is put halfway between them.
 * @returns undefined where there is no value.
 */
export function numbersOfSummary({ values, rankMin, rankMax, weight }: WeightedSummary): Numbers | undefined {
  const last = values.length - 1;
  if (last < 0) return undefined;
  const binned = new BinnedNumbers(values[0]!, values[last]!);
  let before = 0;
  for (let i = 0; i <= last; i++) {
    const own = weight[i]!;
    // The middle of what is known of the weight before this value.
    const rank = (rankMin[i]! + rankMax[i]! - own) / 2;
    const between = rank - before;
    if (i > 0 && between > 1e-9 * rank) binned.add((values[i - 1]! + values[i]!) / 2, between);
    binned.add(values[i]!, own);
    before = Math.max(before, rank) + own;
  }
  return binned.numbers();
}

/** @returns undefined where there is no finite value. */
export function numbersOfSample(values: ArrayLike<number>): Numbers | undefined {
  let [min, max] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (min > max) return undefined;
  const binned = new BinnedNumbers(min, max);
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) binned.add(values[i]!, 1);
  return binned.numbers();
}

class BinnedNumbers {
  readonly #min: number;
  readonly #max: number;
  readonly #bins: number[];
  readonly #perUnit: number;
  #sum = 0;
  #weight = 0;

  constructor(min: number, max: number) {
    this.#min = min;
    this.#max = max;
    this.#bins = Array.from({ length: max > min ? HISTOGRAM_BINS : 1 }, () => 0);
    this.#perUnit = max > min ? HISTOGRAM_BINS / (max - min) : 0;
  }

  add(value: number, weight: number): void {
    const bin = Math.min(this.#bins.length - 1, Math.floor((value - this.#min) * this.#perUnit));
    this.#bins[bin]! += weight;
    this.#sum += value * weight;
    this.#weight += weight;
  }

  numbers(): Numbers {
    const [min, max] = [this.#min, this.#max];
    const mean = this.#weight > 0 ? this.#sum / this.#weight : (min + max) / 2;
    return { min, max, mean: Math.min(max, Math.max(min, mean)), bins: this.#bins };
  }
}
