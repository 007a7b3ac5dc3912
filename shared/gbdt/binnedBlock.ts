// Rows of a shard as a tree device takes them: labels and weights become integers on the run's scales.

import { WEIGHT_FRACTION_BITS, type BinnedBlock } from '../../kernels/gbdt/treeDevice.ts';
import { scaleByPowerOfTwo } from '../../kernels/fixed/scaleByPowerOfTwo.ts';
import { effectiveWeight, labelToFixed, needsWeights, weightToFixed } from './labels.ts';
import type { ShardRows } from './shardCodec.ts';
import type { TrainSpec } from './trainSpec.ts';

type Scales = Pick<TrainSpec, 'params' | 'hessianUnit'> & {
  readonly device: Pick<TrainSpec['device'], 'marginFractionBits'>;
};

/** @param shard labels and weights of rows that are only evaluated may lie beyond the run's scales; devices ignore them. */
export function binnedBlock(shard: ShardRows, { params, hessianUnit, device }: Scales): BinnedBlock {
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
