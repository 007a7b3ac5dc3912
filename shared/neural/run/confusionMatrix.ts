// Which classes a net takes for which: counts over the evaluation set, by label and prediction.

import { z } from 'zod';
import type { LossSpec, TargetValues } from '../trainingEngine.ts';

/** Of more classes no matrix is counted: nobody could read it. */
export const MAX_CONFUSION_CLASSES = 100;

const form = z
  .strictObject({
    classes: z.number().int().min(2).max(MAX_CONFUSION_CLASSES),
    counts: z.array(z.number().int().nonnegative()).max(MAX_CONFUSION_CLASSES ** 2),
  })
  .refine(
    ({ classes, counts }) => counts.length === classes ** 2,
    'expected a count for each pair of classes',
  );

export interface ConfusionMatrix {
  readonly classes: number;
  /** Row by row: rows are labels, columns are predictions. */
  readonly counts: readonly number[];
}

/** @returns undefined for what is none. */
export function readConfusionMatrix(value: unknown): ConfusionMatrix | undefined {
  return form.safeParse(value).data;
}

/** Of a row: its class among so many. */
type ClassOf = (values: ArrayLike<number>, row: number, classes: number) => number;

const indexed: ClassOf = (values, row) => values[row]!;
const largest: ClassOf = (values, row, classes) => {
  let best = 0;
  for (let at = 1; at < classes; at += 1)
    if (values[row * classes + at]! > values[row * classes + best]!) best = at;
  return best;
};
const above =
  (least: number): ClassOf =>
  (values, row) =>
    Number(values[row]! > least);

export class ConfusionCounts {
  readonly #loss: LossSpec;
  #classes = 0;
  #counts = new Float64Array();

  constructor(loss: LossSpec) {
    this.#loss = loss;
  }

  /** Row by row; empty where nothing can be counted: labels are numbers, or there are more than MAX_CONFUSION_CLASSES. */
  get values(): Float64Array<ArrayBuffer> {
    return this.#counts;
  }

  /**
   * @param outputs of the model: [rows, classes]; of the binary loss [rows].
   * @param targets class indices [rows] of the sparse loss, else as the outputs.
   * @param width last dimension of the targets, which of the categorical loss is the number of classes.
   */
  add(outputs: Float32Array, targets: TargetValues, width: number): void {
    switch (this.#loss.name) {
      case 'binaryCrossentropy': {
        const predicted = above(this.#loss.fromLogits ? 0 : 0.5);
        return this.#count({ rows: targets.length, classes: 2 }, [targets, above(0.5)], [outputs, predicted]);
      }
      case 'categoricalCrossentropy': {
        const sizes = { rows: targets.length / width, classes: width };
        return this.#count(sizes, [targets, largest], [outputs, largest]);
      }
      case 'sparseCategoricalCrossentropy': {
        const sizes = { rows: targets.length, classes: outputs.length / targets.length };
        return this.#count(sizes, [targets, indexed], [outputs, largest]);
      }
      case 'meanSquaredError':
        return;
    }
  }

  #count(
    { rows, classes }: { readonly rows: number; readonly classes: number },
    [labels, labelOf]: readonly [ArrayLike<number>, ClassOf],
    [outputs, predictedOf]: readonly [ArrayLike<number>, ClassOf],
  ): void {
    if (!(classes >= 2 && classes <= MAX_CONFUSION_CLASSES)) return;
    if (this.#classes !== classes) this.#counts = new Float64Array(classes ** 2);
    this.#classes = classes;
    for (let row = 0; row < rows; row += 1) {
      const label = labelOf(labels, row, classes);
      if (label >= 0 && label < classes)
        this.#counts[label * classes + predictedOf(outputs, row, classes)]! += 1;
    }
  }
}

/** Of the counts of all members, each whole or empty. @throws RangeError where they are of different classes. */
export function joinedConfusion(parts: readonly Float64Array[]): ConfusionMatrix | undefined {
  const counted = parts.filter((part) => part.length > 0);
  const [first] = counted;
  if (!first) return undefined;
  const sums = new Float64Array(first.length);
  for (const part of counted) {
    if (part.length !== sums.length) throw new RangeError(`${part.length} counts beside ${sums.length}`);
    for (const [at, count] of part.entries()) sums[at]! += count;
  }
  return { classes: Math.sqrt(sums.length), counts: [...sums] };
}
