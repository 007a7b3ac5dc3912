// Blocks come from files fetched over a network. A code out of range would read or add outside its histogram, so every
// block is checked whole before a device takes it.

import { InvalidBlockError } from './deviceErrors.ts';
import { MARGIN_LIMIT, ONE } from './fixedPoint.ts';
import { hasClassOutputs, labelLimits } from './gradientKinds.ts';
import type { BinnedBlock, DeviceSpec } from './treeDevice.ts';
import { LIMB_BITS, MAX_VALUE_BINS, MISSING_BIN, hasWideMargins } from './treeDevice.ts';

function fail(block: BinnedBlock, what: string): never {
  throw new InvalidBlockError(`Block of ${block.rows} rows from row ${block.firstRow}: ${what}`);
}

function checkBins(spec: DeviceSpec, block: BinnedBlock): void {
  if (block.bins.length !== spec.slotsPerFeature.length) {
    fail(block, `it has ${block.bins.length} features, expected ${spec.slotsPerFeature.length}.`);
  }
  block.bins.forEach((column, feature) => {
    if (column.length !== block.rows) {
      fail(block, `feature ${feature} has ${column.length} codes, expected one a row.`);
    }
    const valueBins = (spec.slotsPerFeature[feature] ?? 0) - 1;
    for (let row = 0; row < column.length; row += 1) {
      const bin = column[row] ?? 0;
      if (bin >= valueBins && bin !== MISSING_BIN) {
        fail(
          block,
          `feature ${feature}, row ${row}: bin code ${bin}, expected below ${valueBins} or ${MISSING_BIN}.`,
        );
      }
    }
  });
}

function checkLabels(spec: DeviceSpec, block: BinnedBlock): void {
  if (block.labels.length !== block.rows)
    fail(block, `it has ${block.labels.length} labels, expected one a row.`);
  const [lowest, highest] = labelLimits(spec.gradient, spec.outputs);
  for (let row = 0; row < block.rows; row += 1) {
    const label = block.labels[row] ?? 0;
    if (label < lowest || label > highest) {
      fail(block, `row ${row}: label ${label}, expected ${lowest} to ${highest}.`);
    }
  }
}

/** Low limbs are where the spec has them, one a row, and as small as they must be. */
function checkLow(spec: DeviceSpec, block: BinnedBlock): void {
  const { low, rows, weights, baseMargins } = block;
  const wideMargins = hasWideMargins(spec);
  if (low !== undefined && spec.isWide !== true) fail(block, 'it has low limbs, and the spec is not wide.');
  const check = (
    what: string,
    limb: ArrayLike<number> | undefined,
    isDue: boolean,
    least: number,
    end: number,
  ): void => {
    if (limb === undefined && !isDue) return;
    if (limb?.length !== (isDue ? rows : -1)) {
      fail(
        block,
        `it has ${limb?.length ?? 0} low limbs of ${what}, expected ${isDue ? 'one a row' : 'none'}.`,
      );
    }
    for (let row = 0; row < rows; row += 1) {
      const value = limb[row] ?? 0;
      if (value < least || value >= end)
        fail(block, `row ${row}: low limb ${value} of ${what}, expected ${least} to ${end - 1}.`);
    }
  };
  const half = 2 ** (LIMB_BITS - 1);
  check('labels', low?.labels, wideMargins, -half, half);
  check('weights', low?.weights, spec.isWide === true && weights !== undefined, 0, 2 ** LIMB_BITS);
  check('base margins', low?.baseMargins, wideMargins && baseMargins !== undefined, -half, half);
}

/** @throws InvalidBlockError naming the first thing in `block` that doesn't fit `spec`. */
export function checkBlock(spec: DeviceSpec, block: BinnedBlock): void {
  if (!Number.isSafeInteger(block.rows) || block.rows < 0) fail(block, 'the number of rows is no count.');
  if (!Number.isSafeInteger(block.firstRow) || block.firstRow < 0) fail(block, 'the first row is no row id.');
  checkBins(spec, block);
  checkLabels(spec, block);
  checkLow(spec, block);
  const { weights, baseMargins } = block;
  if (weights !== undefined) {
    if (weights.length !== block.rows) fail(block, `it has ${weights.length} weights, expected one a row.`);
    const row = weights.findIndex((weight) => weight > ONE);
    if (row >= 0) fail(block, `row ${row}: weight ${weights[row]}, expected at most ${ONE}.`);
  }
  if (baseMargins !== undefined) {
    if (baseMargins.length !== block.rows * spec.outputs) {
      fail(block, `it has ${baseMargins.length} base margins, expected ${block.rows * spec.outputs}.`);
    }
    const at = baseMargins.findIndex((margin) => Math.abs(margin) > MARGIN_LIMIT);
    if (at >= 0) fail(block, `base margin ${at} is ${baseMargins[at]}, expected within ±${MARGIN_LIMIT}.`);
  }
}

/** @throws RangeError when a spec can't be served by any device: a defect of the caller, not of data. */
export function checkSpec(spec: DeviceSpec): void {
  const wrongSlots = spec.slotsPerFeature.findIndex((slots) => !(slots >= 1 && slots <= MAX_VALUE_BINS + 1));
  if (wrongSlots >= 0) {
    throw new RangeError(
      `Feature ${wrongSlots} has ${spec.slotsPerFeature[wrongSlots]} slots, expected 1 to 256.`,
    );
  }
  if (!(spec.outputs >= 1) || (!hasClassOutputs(spec.gradient) && spec.outputs !== 1)) {
    throw new RangeError(
      `${spec.gradient} has ${spec.outputs} outputs, expected one, or a class each for softmax.`,
    );
  }
  if (Math.abs(spec.baseMargin) > MARGIN_LIMIT || !Number.isInteger(spec.baseMargin)) {
    throw new RangeError(`The base margin ${spec.baseMargin} is not an integer within ±${MARGIN_LIMIT}.`);
  }
}
