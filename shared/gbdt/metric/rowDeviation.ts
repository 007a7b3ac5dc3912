// How far predictions of numbers are from their labels.

import { scaleByPowerOfTwo } from '../../../kernels/fixed/scaleByPowerOfTwo.ts';
import { LIMB_BITS } from '../../../kernels/gbdt/treeDevice.ts';
import type { MetricBlock, MetricSetting } from './metric.ts';

/** Margin less label of a row. */
export function rowDeviation({
  marginFractionBits,
  hasWideMargins,
}: MetricSetting): (block: MetricBlock, row: number) => number {
  const unit = scaleByPowerOfTwo(1, -marginFractionBits);
  if (!hasWideMargins) return ({ margins, labels }, row) => margins[row]! * unit - labels[row]!;
  // Both limbs together are a whole number below 2^53.
  const lowUnit = scaleByPowerOfTwo(unit, -LIMB_BITS);
  return ({ margins, labels, rows }, row) =>
    (margins[row]! * 2 ** LIMB_BITS + margins[rows + row]!) * lowUnit - labels[row]!;
}
