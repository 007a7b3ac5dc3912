// What the formulas of gradients are made of, the same to the last bit on every device: probabilities and their curvature.

import { ONE, divideToOne } from './fixedPoint.ts';
import { buildExpTable, buildSigmoidTable, expFixed, softmaxShift } from './probabilityTable.ts';

export interface GradientTables {
  readonly sigmoid: Uint32Array<ArrayBuffer>;
  readonly exp: Uint32Array<ArrayBuffer>;
}

export function buildGradientTables(): GradientTables {
  return { sigmoid: buildSigmoidTable(), exp: buildExpTable() };
}

/** p(1 - p) in 2^-24, at least one unit, so that a saturated row still counts. */
export function curvature(probability: number): number {
  // The product has at most 46 bits, so the double is exact: multiplyShift without its halves. The quotient is positive
  // and fits 31 bits, so cutting it off is rounding down.
  const rounded = ((probability * (ONE - probability) + ONE / 2) / ONE) | 0;
  return rounded > 1 ? rounded : 1;
}

/** Probability in 2^-24 of `output` given all margins of a row. `margins[output * stride + row]`. */
export function softmaxFixed(
  table: Uint32Array,
  margins: Int32Array,
  row: number,
  stride: number,
  outputs: number,
  output: number,
): number {
  let highest = margins[row] ?? 0;
  for (let k = 1; k < outputs; k += 1) highest = Math.max(highest, margins[k * stride + row] ?? 0);
  const shift = softmaxShift(outputs);
  let total = 0;
  for (let k = 0; k < outputs; k += 1) {
    total += expFixed(table, highest - (margins[k * stride + row] ?? 0)) >> shift;
  }
  return divideToOne(expFixed(table, highest - (margins[output * stride + row] ?? 0)) >> shift, total);
}
