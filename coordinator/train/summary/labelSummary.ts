// Labels as they pass by: how many there are of each class, and their distribution where they are no classes.

import type { ColumnSummary } from '../../../shared/api/datasetAnswers.ts';
import { describeCategories, toldText } from './describeCategories.ts';
import { numbersOfSample } from './describeNumbers.ts';
import { ValueSample } from './valueSample.ts';

/** Whole numbers from 0 to below this are counted one by one. A power of two. */
const MAX_CLASSES = 1024;
/** More distinct labels, like ages, are better seen as a distribution. */
const MOST_CLASSES = 20;

export class LabelSummary {
  /** Four tables by turns: increments of one place would wait for each other. */
  readonly #counts = new Uint32Array(4 * MAX_CLASSES);
  readonly #sample = new ValueSample();
  #areClasses = true;
  #labels = 0;

  add(labels: ArrayLike<number>): void {
    this.#sample.add(labels);
    this.#labels += labels.length;
    if (!this.#areClasses) return;
    const counts = this.#counts;
    let others = 0;
    for (let row = 0; row < labels.length; row++) {
      const label = labels[row]!;
      const code = label | 0;
      others |= Number(code !== label) | (code & ~(MAX_CLASSES - 1));
      counts[((row & 3) * MAX_CLASSES) | (code & (MAX_CLASSES - 1))]! += 1;
    }
    this.#areClasses = others === 0;
  }

  describe(name: string): ColumnSummary {
    const column = { name: toldText(name), role: 'label' } as const;
    const counts = Array.from({ length: this.#areClasses ? MAX_CLASSES : 0 }, (_, label) =>
      this.#countOf(label),
    );
    const distinct = counts.filter((count) => count > 0).length;
    if (distinct > 0 && distinct <= MOST_CLASSES) {
      const categories = describeCategories(
        counts.map((_, label) => String(label)),
        counts,
      );
      return { ...column, type: 'class', looked: this.#labels, missing: 0, categories };
    }
    const { values } = this.#sample;
    const numbers = numbersOfSample(values);
    return { ...column, type: 'number', looked: values.length, missing: 0, ...(numbers && { numbers }) };
  }

  #countOf(label: number): number {
    const counts = this.#counts;
    return [0, 1, 2, 3].reduce((sum, table) => sum + counts[table * MAX_CLASSES + label]!, 0);
  }
}
