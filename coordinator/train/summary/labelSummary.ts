// Labels as they pass by: how many there are of each class, and their distribution where they are no classes.

import type { ColumnSummary } from '../../../shared/api/datasetAnswers.ts';
import { describeCategories, toldText } from './describeCategories.ts';
import { numbersOfSample } from './describeNumbers.ts';
import { ValueSample } from './valueSample.ts';

/** Whole numbers from 0 to below this are counted one by one. */
const MAX_CLASSES = 1024;
/** More distinct labels, like ages, are better seen as a distribution. */
const MOST_CLASSES = 20;

export class LabelSummary {
  readonly #counts = new Float64Array(MAX_CLASSES);
  readonly #sample = new ValueSample();
  #areClasses = true;
  #labels = 0;

  add(labels: ArrayLike<number>): void {
    this.#sample.add(labels);
    this.#labels += labels.length;
    const counts = this.#counts;
    for (let row = 0; this.#areClasses && row < labels.length; row++) {
      const label = labels[row]!;
      // A place that is no whole number reads as undefined.
      if (counts[label] === undefined) this.#areClasses = false;
      else counts[label] += 1;
    }
  }

  describe(name: string): ColumnSummary {
    const column = { name: toldText(name), role: 'label' } as const;
    const distinct = this.#areClasses ? this.#counts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0) : 0;
    if (distinct > 0 && distinct <= MOST_CLASSES) {
      const names = Array.from(this.#counts, (_, label) => String(label));
      const categories = describeCategories(names, this.#counts);
      return { ...column, type: 'class', looked: this.#labels, missing: 0, categories };
    }
    const { values } = this.#sample;
    const numbers = numbersOfSample(values);
    return { ...column, type: 'number', looked: values.length, missing: 0, ...(numbers && { numbers }) };
  }
}
