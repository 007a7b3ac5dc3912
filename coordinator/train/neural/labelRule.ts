// What a loss asks of labels.

import type { LossName } from '../../../shared/neural/trainingEngine.ts';

export interface LabelRule {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
  /** Undefined for a value that is fine. */
  readonly wrong: (value: number) => string | undefined;
}

export function labelRuleOf(loss: LossName, outputShape: readonly number[]): LabelRule {
  const finite = (value: number): string | undefined =>
    Number.isFinite(value) ? undefined : 'expected a finite number';
  switch (loss) {
    case 'sparseCategoricalCrossentropy': {
      const classes = outputShape.at(-1) ?? 1;
      const wrong = (value: number): string | undefined =>
        Number.isInteger(value) && value >= 0 && value < classes
          ? undefined
          : `expected a class from 0 to ${classes - 1}`;
      // One class a place: none for a net that classifies the whole example.
      return { shape: outputShape.slice(0, -1), dtype: 'int32', wrong };
    }
    case 'binaryCrossentropy':
    case 'categoricalCrossentropy':
      return {
        shape: outputShape,
        dtype: 'float32',
        wrong: (value) => (value >= 0 && value <= 1 ? undefined : 'expected a probability from 0 to 1'),
      };
    case 'meanSquaredError':
      break;
  }
  return { shape: outputShape, dtype: 'float32', wrong: finite };
}
