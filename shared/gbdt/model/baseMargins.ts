// Margins that a run starts from when it goes on with an earlier model: the very integers that training with the same
// cuts would have reached, so that a run that was cut short and resumed gives the same trees as one that was not.

import { addToMargin, addToWideMargin, highLimb, MARGIN_LIMIT } from '../../../kernels/gbdt/fixedPoint.ts';
import { hasWideMargins, LIMB_BITS, type DeviceSpec } from '../../../kernels/gbdt/treeDevice.ts';
import { wideLeafUnits } from '../../../kernels/gbdt/wideLeaf.ts';
import { compileForest } from './flatForest.ts';
import { ForestWalk } from './forestWalk.ts';
import { modelBaseMargins, type GbdtModel } from './model.ts';
import { scaleByPowerOfTwo } from '../../../kernels/fixed/scaleByPowerOfTwo.ts';

/**
 * BinnedBlock.baseMargins of rows given as raw columns: [output][row] in margin units; where margins are wide, all high
 * limbs and then all low ones. All rounds of the model count.
 */
export function baseMargins(
  model: GbdtModel,
  columns: readonly Float32Array[],
  rows: number,
  device: Pick<DeviceSpec, 'gradient' | 'marginFractionBits' | 'isWide'>,
): Int32Array<ArrayBuffer> {
  if (hasWideMargins(device)) return wideBaseMargins(model, columns, rows, device.marginFractionBits);
  const { marginFractionBits } = device;
  const base = modelBaseMargins(model);
  const margins = new Int32Array(rows * base.length);
  base.forEach((margin, output) => {
    margins.fill(toMarginUnits(margin, marginFractionBits), output * rows, (output + 1) * rows);
  });
  const forest = compileForest(model.trees, model.numFeature);
  const units = Int32Array.from(forest.leafValues, (value) => toMarginUnits(value, marginFractionBits));
  const walk = new ForestWalk(forest);
  walk.forEachLeaf(columns, rows, 0, model.trees.length, (leaves, t, start, count) => {
    const offset = model.treeOutputs[t]! * rows + start;
    for (let i = 0; i < count; i += 1) {
      margins[offset + i] = addToMargin(margins[offset + i]!, units[leaves[i]!]!);
    }
  });
  return margins;
}

function wideBaseMargins(
  model: GbdtModel,
  columns: readonly Float32Array[],
  rows: number,
  marginFractionBits: number,
): Int32Array<ArrayBuffer> {
  const sums = new Float64Array(rows).fill(wideLeafUnits(modelBaseMargins(model)[0]!, marginFractionBits));
  const forest = compileForest(model.trees, model.numFeature);
  const units = Float64Array.from(forest.leafValues, (value) => wideLeafUnits(value, marginFractionBits));
  new ForestWalk(forest).forEachLeaf(columns, rows, 0, model.trees.length, (leaves, _, start, count) => {
    for (let i = 0; i < count; i += 1) {
      sums[start + i] = addToWideMargin(sums[start + i]!, units[leaves[i]!]!);
    }
  });
  const margins = new Int32Array(2 * rows);
  sums.forEach((sum, row) => {
    margins[row] = highLimb(sum);
    margins[rows + row] = sum - highLimb(sum) * 2 ** LIMB_BITS;
  });
  return margins;
}

/** The nearest margin unit (2^-fractionBits), within what margins may be. */
export function toMarginUnits(value: number, fractionBits: number): number {
  const units = Math.round(scaleByPowerOfTwo(value, fractionBits));
  return Math.max(-MARGIN_LIMIT, Math.min(MARGIN_LIMIT, units)) + 0;
}
