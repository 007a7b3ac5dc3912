// Rows of a shard as a tree device takes them: labels and weights become integers on the run's scales.

import { hasWideMargins, WEIGHT_FRACTION_BITS, type BinnedBlock } from '../../kernels/gbdt/treeDevice.ts';
import { scaleByPowerOfTwo } from '../../kernels/fixed/scaleByPowerOfTwo.ts';
import {
  effectiveWeight,
  labelToFixed,
  labelToLimbs,
  needsWeights,
  weightToFixed,
  weightToLimbs,
  type Limbs,
} from './labels.ts';
import type { ShardRows } from './shardCodec.ts';
import type { TrainSpec } from './trainSpec.ts';

type Scales = Pick<TrainSpec, 'params' | 'hessianUnit'> & {
  readonly device: Pick<TrainSpec['device'], 'gradient' | 'marginFractionBits' | 'isWide'>;
};

/** @param shard labels and weights of rows that are only evaluated may lie beyond the run's scales; devices ignore them. */
export function binnedBlock(shard: ShardRows, scales: Scales): BinnedBlock {
  const { params, hessianUnit, device } = scales;
  if (device.isWide) return wideBlock(shard, scales);
  const { firstRow, rows, bins, labels, weights, baseMargins } = shard;
  const unit = scaleByPowerOfTwo(1, -device.marginFractionBits);
  const base = {
    firstRow,
    rows,
    bins,
    labels: Int32Array.from(labels, (label) => labelToFixed(label, params, unit)),
    ...(baseMargins && { baseMargins }),
  };
  if (!needsWeights(params, weights !== undefined)) return base;
  const heaviest = hessianUnit * 2 ** WEIGHT_FRACTION_BITS;
  const fixed = Uint32Array.from(labels, (label, row) =>
    weightToFixed(effectiveWeight(weights ? weights[row]! : 1, label, params), heaviest),
  );
  return { ...base, weights: fixed };
}

function wideBlock(shard: ShardRows, { params, hessianUnit, device }: Scales): BinnedBlock {
  const { firstRow, rows, bins, labels, weights, baseMargins } = shard;
  const isSquared = hasWideMargins(device);
  const unit = scaleByPowerOfTwo(1, -device.marginFractionBits);
  const heaviest = hessianUnit * 2 ** WEIGHT_FRACTION_BITS;
  const label = { high: new Int32Array(rows), low: new Int32Array(isSquared ? rows : 0) };
  const isWeighted = needsWeights(params, weights !== undefined);
  const weight = { high: new Uint32Array(rows), low: new Uint32Array(rows) };
  for (let row = 0; row < rows; row += 1) {
    const value = labels[row]!;
    if (isSquared) put(label, row, labelToLimbs(value, unit));
    else label.high[row] = labelToFixed(value, params, unit);
    if (!isWeighted) continue;
    put(weight, row, weightToLimbs(effectiveWeight(weights ? weights[row]! : 1, value, params), heaviest));
  }
  // Of a shard whose margins have two limbs, the low ones come last.
  const lowMargins = isSquared ? baseMargins?.subarray(rows) : undefined;
  return {
    firstRow,
    rows,
    bins,
    labels: label.high,
    ...(isWeighted && { weights: weight.high }),
    ...(baseMargins && { baseMargins: lowMargins ? baseMargins.subarray(0, rows) : baseMargins }),
    low: {
      ...(isWeighted && { weights: weight.low }),
      ...(isSquared && { labels: label.low }),
      ...(lowMargins && { baseMargins: lowMargins }),
    },
  };
}

function put(
  limbs: { readonly high: Int32Array | Uint32Array; readonly low: Int32Array | Uint32Array },
  row: number,
  { high, low }: Limbs,
): void {
  limbs.high[row] = high;
  limbs.low[row] = low;
}
