import { describe, expect, it } from 'vitest';
import {
  ConfusionCounts,
  joinedConfusion,
  MAX_CONFUSION_CLASSES,
  readConfusionMatrix,
} from '../../../../shared/neural/run/confusionMatrix.ts';
import type { LossName } from '../../../../shared/neural/trainingEngine.ts';

const counts = (name: LossName, fromLogits = false) => new ConfusionCounts({ name, fromLogits });
const f32 = (...values: number[]) => Float32Array.from(values);

describe('counts of labels and predictions', () => {
  it('are of class indices for the sparse loss; indices that are no class are left out', () => {
    const confusion = counts('sparseCategoricalCrossentropy');
    confusion.add(
      f32(0.1, 0.7, 0.2, 0.5, 0.3, 0.2, 0.2, 0.2, 0.6, 1, 0, 0),
      Int32Array.from([1, 2, 2, 3]),
      1,
    );
    expect([...confusion.values]).toEqual([0, 0, 0, 0, 1, 0, 1, 0, 1]);
  });

  it('are of the largest of each row for the categorical loss', () => {
    const confusion = counts('categoricalCrossentropy');
    confusion.add(f32(3, -1, -2, 5), f32(0, 1, 0, 1), 2);
    expect([...confusion.values]).toEqual([0, 0, 1, 1]);
  });

  it.each([
    [false, 0.4, 0],
    [false, 0.6, 1],
    [true, -0.1, 0],
    [true, 0.1, 1],
  ])(
    'are of a threshold for the binary loss (logits: %s, %d is class %i)',
    (fromLogits, output, predicted) => {
      const confusion = counts('binaryCrossentropy', fromLogits);
      confusion.add(f32(output), f32(1), 1);
      const expected = [0, 0, 0, 0];
      expected[2 + predicted] = 1;
      expect([...confusion.values]).toEqual(expected);
    },
  );

  it('are none where labels are numbers, and of too many classes', () => {
    const numbers = counts('meanSquaredError');
    numbers.add(f32(1), f32(2), 1);
    const many = counts('sparseCategoricalCrossentropy');
    many.add(new Float32Array(MAX_CONFUSION_CLASSES + 1), Int32Array.from([0]), 1);
    expect([numbers.values.length, many.values.length]).toEqual([0, 0]);
  });
});

it('joins the counts of those who have some', () => {
  const parts = [Float64Array.from([1, 2, 3, 4]), new Float64Array(), Float64Array.from([10, 0, 0, 0])];
  expect(joinedConfusion(parts)).toEqual({ classes: 2, counts: [11, 2, 3, 4] });
  expect(joinedConfusion([new Float64Array()])).toBeUndefined();
  expect(() => joinedConfusion([new Float64Array(4), new Float64Array(9)])).toThrow(RangeError);
});

it('reads what is one, and nothing else', () => {
  expect(readConfusionMatrix({ classes: 2, counts: [1, 2, 3, 4] })).toEqual({
    classes: 2,
    counts: [1, 2, 3, 4],
  });
  for (const wrong of [undefined, {}, { classes: 2, counts: [1] }, { classes: 3, counts: [1, 2, 3, 4] }])
    expect(readConfusionMatrix(wrong)).toBeUndefined();
});
