// Weighted sums of losses that come out the same whatever the order of addition and whoever holds which rows: each
// row's contribution becomes an integer, and the integers are summed exactly in two limbs.

import { scaleByPowerOfTwo } from '../../../kernels/fixed/scaleByPowerOfTwo.ts';
import { WEIGHT_FRACTION_BITS } from '../../../kernels/gbdt/treeDevice.ts';
import type { MeanMetric, MetricBlock, MetricSetting } from './metric.ts';

/** Numbers of one sum: high limb, low limb, sum of weights. All are integers below 2^53 for up to 2^27 rows. */
export const SUM_NUMBERS = 3;
const LIMB = 2 ** 26;
const LIMB_INVERSE = 2 ** -26;
const HEAVIEST = 2 ** WEIGHT_FRACTION_BITS;

/** Adds the rows of `block` to `sums` at `offset`. */
export function addToMean(
  metric: MeanMetric,
  setting: MetricSetting,
  blocks: readonly MetricBlock[],
  sums: Float64Array,
  offset: number,
): void {
  const rowLoss = metric.rowLoss(setting);
  const scale = scaleByPowerOfTwo(1, metric.lossFractionBits(setting));
  let high = 0;
  let low = 0;
  let total = 0;
  for (const block of blocks) {
    const { rows, weights } = block;
    for (let row = 0; row < rows; row += 1) {
      const weight = weights === undefined ? HEAVIEST : weights[row]!;
      // At most 2^52: losses are bounded so, and the relative weight is at most 1.
      const contribution = Math.round(rowLoss(block, row) * scale * (weight / HEAVIEST));
      const carry = Math.floor(contribution * LIMB_INVERSE);
      high += carry;
      low += contribution - carry * LIMB;
      total += weight;
    }
  }
  sums[offset]! += high;
  sums[offset + 1]! += low;
  sums[offset + 2]! += total;
}

/** The metric's value from sums over all workers; NaN without any weight. */
export function finishMean(
  metric: MeanMetric,
  setting: MetricSetting,
  sums: Float64Array,
  offset: number,
): number {
  const scale = scaleByPowerOfTwo(1, -metric.lossFractionBits(setting));
  const weight = sums[offset + 2]! / HEAVIEST;
  return metric.finish(((sums[offset]! * LIMB + sums[offset + 1]!) * scale) / weight);
}
