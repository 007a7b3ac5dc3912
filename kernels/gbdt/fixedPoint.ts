// Integer arithmetic of the gradients, as every device must do it. The WGSL twin is fixedPointWgsl.ts; both are exact,
// so they agree to the last bit by construction, and the contract suite checks it.

import { LIMB_BITS, PROBABILITY_FRACTION_BITS } from './treeDevice.ts';

/** 1.0 as a probability or as a relative weight. */
export const ONE = 2 ** PROBABILITY_FRACTION_BITS;
/** Margins are held within ±MARGIN_LIMIT, so that differences of two of them, and of a label, fit 31 bits. */
export const MARGIN_LIMIT = 2 ** 29;

/** Adds a leaf value to a margin, saturating at ±MARGIN_LIMIT. */
export function addToMargin(margin: number, value: number): number {
  const sum = margin + value;
  return sum > MARGIN_LIMIT ? MARGIN_LIMIT : sum < -MARGIN_LIMIT ? -MARGIN_LIMIT : sum;
}

/** round(a · b / 2^24), halves up, for 0 <= a < 2^30 and 0 <= b <= 2^24. */
export function multiplyShift(a: number, b: number): number {
  // Products of 30 and 24 bits don't fit a double exactly; of 18 and 24 bits they do.
  const high = (a >>> 12) * b;
  const low = (a & 4095) * b + 2 ** 23;
  return Math.floor((high + Math.floor(low / 4096)) / 4096);
}

/** As multiplyShift for |a| < 2^30 of either sign, halves away from zero. */
export function multiplyShiftSigned(a: number, b: number): number {
  return a < 0 ? -multiplyShift(-a, b) : multiplyShift(a, b);
}

/** The high limb of an integer below 2^53 in size; the low one, within ±2^23, is the rest. */
export function highLimb(value: number): number {
  return Math.floor((value + 2 ** (LIMB_BITS - 1)) / 2 ** LIMB_BITS);
}

/** As addToMargin for wide margins. @returns the whole number of both limbs. */
export function addToWideMargin(margin: number, value: number): number {
  const limit = MARGIN_LIMIT * 2 ** LIMB_BITS;
  const sum = margin + value;
  return sum > limit ? limit : sum < -limit ? -limit : sum;
}

/**
 * The low limb of (high, low) · weight, where the weight is weightHigh + weightLow · 2^-24 in units of 2^-24; the high
 * limb is multiplyShiftSigned(high, weightHigh), and what that rounds off is in here.
 */
export function weighLow(high: number, low: number, weightHigh: number, weightLow: number): number {
  // The remainder fits 24 bits, so 32-bit arithmetic that wraps around gives it exactly.
  const rest = (Math.imul(high, weightHigh) - (multiplyShiftSigned(high, weightHigh) << LIMB_BITS)) | 0;
  return rest + multiplyShiftSigned(high, weightLow) + multiplyShiftSigned(low, weightHigh);
}

/** round(2^24 · part / total), halves up, for 0 <= part <= total and 0 < total < 2^31. */
export function divideToOne(part: number, total: number): number {
  const dividend = part * ONE + Math.floor(total / 2);
  const quotient = Math.floor(dividend / total);
  // The division of doubles rounds; the remainder is exact and tells when it went up to the next integer.
  return quotient * total > dividend ? quotient - 1 : quotient;
}
