// Margins of booster gblinear, in float32 and in XGBoost's order: intercept and base, then feature by feature.

import type { LinearModel } from './model.ts';

/**
 * Adds to margins that hold the base, [row][output].
 * @param columns one a feature; a missing value (NaN) adds nothing.
 */
export function addLinear(
  { weights }: LinearModel,
  columns: readonly Float32Array[],
  rows: number,
  margins: Float32Array,
): void {
  const outputs = weights.length / (columns.length + 1);
  const intercepts = columns.length * outputs;
  for (let row = 0; row < rows; row += 1) {
    for (let output = 0; output < outputs; output += 1) {
      let sum = Math.fround(weights[intercepts + output]! + margins[row * outputs + output]!);
      for (let feature = 0; feature < columns.length; feature += 1) {
        const value = columns[feature]![row]!;
        // NaN is the only number unlike itself.
        if (value === value)
          sum = Math.fround(sum + Math.fround(value * weights[feature * outputs + output]!));
      }
      margins[row * outputs + output] = sum;
    }
  }
}
