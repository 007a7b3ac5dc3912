// The most frequent categories of a column.

import {
  MAX_SHOWN_CATEGORIES,
  MAX_TOLD_CHARACTERS,
  type ColumnSummary,
} from '../../../shared/api/datasetAnswers.ts';

type Categories = NonNullable<ColumnSummary['categories']>;

/** @param counts by the place of the name; those that no row has are left out. */
export function describeCategories(names: readonly string[], counts: ArrayLike<number>): Categories {
  const present = names.map((name, at) => ({ name: toldText(name), count: counts[at] ?? 0 }));
  const used = present.filter(({ count }) => count > 0);
  return {
    distinct: used.length,
    top: used.sort((a, b) => b.count - a.count).slice(0, MAX_SHOWN_CATEGORIES),
  };
}

/** Names as they are told: no longer than a coordinator takes them. */
export function toldText(text: string): string {
  return text.length <= MAX_TOLD_CHARACTERS ? text : `${text.slice(0, MAX_TOLD_CHARACTERS - 1)}…`;
}
