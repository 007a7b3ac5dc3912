// Real margins and leaf values as the integers that training adds.

import { scaleByPowerOfTwo } from '../../kernels/fixed/scaleByPowerOfTwo.ts';
import { MARGIN_LIMIT } from '../../kernels/gbdt/fixedPoint.ts';

/** The nearest margin unit (2^-fractionBits), within what margins may be. */
export function toMarginUnits(value: number, fractionBits: number): number {
  const units = Math.round(scaleByPowerOfTwo(value, fractionBits));
  return Math.max(-MARGIN_LIMIT, Math.min(MARGIN_LIMIT, units)) + 0;
}
