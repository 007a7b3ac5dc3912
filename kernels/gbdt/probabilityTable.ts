// Sigmoid and exponential as integer tables with linear integer interpolation. Step 2^-8 keeps the interpolation error
// under 2^-22 (sigmoid) and 2^-19 (exp near zero, before softmax divides it away), far below what a split can notice.
// Tables are built from exact IEEE arithmetic alone, hence alike on every engine.

import { deterministicExp } from '../fixed/deterministicExp.ts';
import { ONE } from './fixedPoint.ts';
import { LOGIT_FRACTION_BITS } from './treeDevice.ts';

/** Table entries per unit of log-odds: 2^8. */
const STEP_BITS = 8;
/** Bits of a margin below the table's step. */
export const INTERPOLATION_BITS = LOGIT_FRACTION_BITS - STEP_BITS;
const FRACTION_MASK = (1 << INTERPOLATION_BITS) - 1;
const HALF = 1 << (INTERPOLATION_BITS - 1);

/** Sigmoid of |margin| saturates here: 1 - 1.1e-7. */
const SIGMOID_REACH = 16;
/** e^-18 rounds to zero in 2^-24. */
const EXP_REACH = 18;
/** Margins at and beyond these (in 2^-20) read the last entry. */
export const SIGMOID_LIMIT = SIGMOID_REACH * 2 ** LOGIT_FRACTION_BITS;
export const EXP_LIMIT = EXP_REACH * 2 ** LOGIT_FRACTION_BITS;

/** sigmoid(i / 256) in 2^-24 for i = 0..4096. */
export function buildSigmoidTable(): Uint32Array<ArrayBuffer> {
  return Uint32Array.from({ length: (SIGMOID_REACH << STEP_BITS) + 1 }, (_, i) =>
    Math.floor(ONE / (1 + deterministicExp(-i / (1 << STEP_BITS))) + 0.5),
  );
}

/** e^(-i / 256) in 2^-24 for i = 0..4608. */
export function buildExpTable(): Uint32Array<ArrayBuffer> {
  return Uint32Array.from({ length: (EXP_REACH << STEP_BITS) + 1 }, (_, i) =>
    Math.floor(ONE * deterministicExp(-i / (1 << STEP_BITS)) + 0.5),
  );
}

/** Probability in 2^-24 of a logistic margin in 2^-20. Symmetric: sigmoid(-m) = 1 - sigmoid(m). */
export function sigmoidFixed(table: Uint32Array, margin: number): number {
  const size = Math.min(Math.abs(margin), SIGMOID_LIMIT);
  const index = size >> INTERPOLATION_BITS;
  const start = table[index] ?? 0;
  const rise = (table[index + 1] ?? start) - start;
  const probability = start + ((rise * (size & FRACTION_MASK) + HALF) >> INTERPOLATION_BITS);
  return margin < 0 ? ONE - probability : probability;
}

/** e^-distance in 2^-24 for a distance >= 0 in 2^-20. */
export function expFixed(table: Uint32Array, distance: number): number {
  const size = Math.min(distance, EXP_LIMIT);
  const index = size >> INTERPOLATION_BITS;
  const start = table[index] ?? 0;
  const fall = start - (table[index + 1] ?? start);
  return start - ((fall * (size & FRACTION_MASK) + HALF) >> INTERPOLATION_BITS);
}

/** Bits by which exponentials are shortened so that the sum over the outputs stays below 2^31. Zero up to 127. */
export function softmaxShift(outputs: number): number {
  let shift = 0;
  while (outputs * (ONE >> shift) >= 2 ** 31) shift += 1;
  return shift;
}
