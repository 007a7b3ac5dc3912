// Leaf values, float32 numbers, as margin units of two limbs.

import { scaleByPowerOfTwo } from '../fixed/scaleByPowerOfTwo.ts';
import { MARGIN_LIMIT } from './fixedPoint.ts';
import { LIMB_BITS } from './treeDevice.ts';

/** The nearest whole number of 2^-(marginFractionBits + LIMB_BITS), within what margins may be. */
export function wideLeafUnits(value: number, marginFractionBits: number): number {
  const limit = MARGIN_LIMIT * 2 ** LIMB_BITS;
  const units = Math.round(scaleByPowerOfTwo(value, marginFractionBits + LIMB_BITS));
  return Math.max(-limit, Math.min(limit, units)) + 0;
}
