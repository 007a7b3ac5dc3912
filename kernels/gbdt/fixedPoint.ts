// Integer arithmetic of the gradients, as every device must do it. The WGSL twin is fixedPointWgsl.ts; both are exact,
// so they agree to the last bit by construction, and the contract suite checks it.

import { PROBABILITY_FRACTION_BITS } from './treeDevice.ts';

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

/** round(2^24 · part / total), halves up, for 0 <= part <= total and 0 < total < 2^31. */
export function divideToOne(part: number, total: number): number {
  const dividend = part * ONE + Math.floor(total / 2);
  const quotient = Math.floor(dividend / total);
  // The division of doubles rounds; the remainder is exact and tells when it went up to the next integer.
  return quotient * total > dividend ? quotient - 1 : quotient;
}
