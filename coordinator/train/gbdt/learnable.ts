// Columns that can not tell anything: what is refused, and what the owner is warned of and probably did not mean.

import { LabelError } from '../../../shared/gbdt/errors/gbdtErrors.ts';
import { ColumnUnsuitableError } from '../../../shared/columns/columnErrors.ts';
import type { ColumnPlan } from './columnPlan.ts';

/** Tells whether all values that it was shown are the same. */
export class ValueCount {
  #first: number | undefined;
  #several = false;

  /** @param weights values of weight 0 do not count. */
  add(values: Float32Array, weights?: Float32Array): void {
    for (let row = 0; row < values.length && !this.#several; row++) {
      if (weights?.[row] === 0) continue;
      this.#first ??= values[row]!;
      this.#several = values[row] !== this.#first;
    }
  }

  /** The one value, or undefined when there are several or none. */
  get only(): number | undefined {
    return this.#several ? undefined : this.#first;
  }
}

/**
 * @param distinct how many different values each feature has, missing ones not counted.
 * @throws LabelError when all labels are the same; ColumnUnsuitableError when no feature has two values.
 */
export function refuseNothingToLearn(
  { label, features }: ColumnPlan,
  { only }: ValueCount,
  distinct: readonly number[],
): void {
  if (only !== undefined) {
    throw new LabelError(
      `Label column "${label}" has one value (${only}) in all rows of dataset "train"; ` +
        `expected at least two, or there is nothing to learn.`,
      { column: label },
    );
  }
  const [first = ''] = features;
  if (distinct.some((count) => count > 1)) return;
  throw new ColumnUnsuitableError(
    `No feature has two different values in dataset "train": there is nothing to learn from. ` +
      poorFeature(first, distinct[0] ?? 0).join(' '),
    { column: first },
  );
}

/** A warning for a feature with fewer than two values. */
export function poorFeature(name: string, distinct: number): string[] {
  if (distinct > 1) return [];
  return [
    distinct === 0
      ? `Feature "${name}" has no values: all are missing in the training set, so no tree will use it.`
      : `Feature "${name}" has one value in the training set: it can tell no more than whether it is missing.`,
  ];
}

/** A warning for text that is mostly numbers: a stray word in a text file makes categories of a whole column. */
export function numbersAmongText(name: string, categories: readonly string[]): string[] {
  const words = categories.filter((category) => category.trim() === '' || Number.isNaN(Number(category)));
  const [word] = words;
  if (word === undefined || words.length * 2 > categories.length) return [];
  return [
    `Feature "${name}" is taken for text, each value a category, although most are numbers: ` +
      `${JSON.stringify(word.slice(0, 40))} is none.`,
  ];
}
