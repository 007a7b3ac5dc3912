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
  readonly #counts = new Uint32Array(MAX_CLASSES);
  readonly #sample = new ValueSample();
  #areClasses = true;
  #labels = 0;

  /** @param stride of these, so manyth are counted. */
  add(labels: ArrayLike<number>, stride = 1): void {
    this.#sample.add(labels);
    if (!this.#areClasses) return;
    const counts = this.#counts;
    let others = 0;
    for (let row = 0; row < labels.length; row += stride) {
      const label = labels[row]!;
      const code = label | 0;
      others |= Number(code !== label) | (code & ~(MAX_CLASSES - 1));
      counts[code & (MAX_CLASSES - 1)]! += 1;
    }
    this.#labels += Math.ceil(labels.length / stride);
    this.#areClasses = others === 0;
  }

  describe(name: string): ColumnSummary {
    const column = { name: toldText(name), role: 'label' } as const;
    const distinct = this.#areClasses ? this.#counts.filter((count) => count > 0).length : 0;
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
