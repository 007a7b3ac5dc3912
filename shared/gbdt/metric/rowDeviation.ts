// How far predictions of numbers are from their labels.

import { scaleByPowerOfTwo } from '../../../kernels/fixed/scaleByPowerOfTwo.ts';
import { LIMB_BITS } from '../../../kernels/gbdt/treeDevice.ts';
import type { MetricBlock, MetricSetting } from './metric.ts';

/** What a unit of margins is, and of their low limbs where they have two. */
export function deviationUnits({ marginFractionBits, hasWideMargins }: MetricSetting): {
  readonly unit: number;
  readonly lowUnit: number | undefined;
} {
  const unit = scaleByPowerOfTwo(1, -marginFractionBits);
  return { unit, lowUnit: hasWideMargins ? scaleByPowerOfTwo(unit, -LIMB_BITS) : undefined };
}

/** Margin less label of a row. */
export function rowDeviation(setting: MetricSetting): (block: MetricBlock, row: number) => number {
  const { unit, lowUnit } = deviationUnits(setting);
  if (lowUnit === undefined) return ({ margins, labels }, row) => margins[row]! * unit - labels[row]!;
  // Both limbs together are a whole number below 2^53.
  return ({ margins, labels, rows }, row) =>
    (margins[row]! * 2 ** LIMB_BITS + margins[rows + row]!) * lowUnit - labels[row]!;
}
