// Exact sums of losses; shared/gbdt/metric has the definitions. A sum is 29 limbs of 26 bits, which are doubles that hold integers:
// limb k counts units of 2^(26 k - 325).

import { LOG_LOSS, SQUARE, WRONG_CLASS } from './kernelNumbers';

const LIMBS: i32 = 29;
const LIMB_BITS: i32 = 26;
const LOWEST_EXPONENT: i32 = -325;

/** 2^exponent, of normal numbers. */
function powerOfTwo(exponent: i32): f64 {
  return reinterpret<f64>((<i64>(exponent + 1023)) << 52);
}

/** Adds a number that is not negative to limbs. */
function addExact(limbs: usize, value: f64): void {
  let k = topLimb(value);
  if (k < 0) return;
  let unit = LOWEST_EXPONENT + LIMB_BITS * k;
  let at = limbs + 8 * <usize>k;
  // A double has 53 bits, so it reaches over three limbs.
  let piece = floor<f64>(value * powerOfTwo(-unit));
  store<f64>(at, load<f64>(at) + piece);
  if (k === 0) return;
  let rest = value - piece * powerOfTwo(unit);
  k -= 1;
  at -= 8;
  unit -= LIMB_BITS;
  piece = floor<f64>(rest * powerOfTwo(-unit));
  store<f64>(at, load<f64>(at) + piece);
  if (k === 0) return;
  rest -= piece * powerOfTwo(unit);
  at -= 8;
  store<f64>(at, load<f64>(at) + floor<f64>(rest * powerOfTwo(LIMB_BITS - unit)));
}

const STEPS_PER_UNIT: f64 = 2048;
const REACH: f64 = 32;

/** ln(1 + e^-x) of a number that is not negative, from its table. */
function softplus(table: usize, x: f64): f64 {
  if (x >= REACH) return 0;
  const at = x * STEPS_PER_UNIT;
  const index = floor<f64>(at);
  const entry = table + 8 * <usize>(<i32>index);
  const low = load<f64>(entry);
  return low + (load<f64>(entry, 8) - low) * (at - index);
}

function logLoss(table: usize, margin: f64): f64 {
  // Signs come in no order, so there is no branch for them.
  return softplus(table, abs<f64>(margin)) + max<f64>(-margin, 0);
}

/**
 * Adds the losses of rows. Parameters: 0 kind (kernelNumbers.ts), 4 rows, 8 margins (i32), 12 low
 * limbs of margins or 0, 16 labels (f32), 20 weights (f32) or 0, 24 table of logloss, 28 limbs of the sum of losses, 32 limbs of that
 * of weights, 40 unit of margins (f64), 48 unit of low limbs.
 */
export function addLosses(p: usize): void {
  const kind = load<u32>(p);
  const rows = <usize>load<u32>(p, 4);
  const margins = <usize>load<u32>(p, 8);
  const lows = <usize>load<u32>(p, 12);
  const labels = <usize>load<u32>(p, 16);
  const weights = <usize>load<u32>(p, 20);
  const table = <usize>load<u32>(p, 24);
  const losses = <usize>load<u32>(p, 28);
  const total = <usize>load<u32>(p, 32);
  const unit = load<f64>(p, 40);
  const lowUnit = load<f64>(p, 48);
  // While losses share a highest limb, which they mostly do, their three limbs are held here.
  let top: i32 = 2;
  let inTop: f64 = 0;
  let inMiddle: f64 = 0;
  let inLow: f64 = 0;
  let from: f64 = 0;
  let to: f64 = 0;
  let unitTop: f64 = 0;
  let unitMiddle: f64 = 0;
  let perTop: f64 = 0;
  let perMiddle: f64 = 0;
  let perLow: f64 = 0;
  for (let row: usize = 0; row < rows; row += 1) {
    const margin = load<i32>(margins + 4 * row);
    const label = load<f32>(labels + 4 * row);
    let loss: f64;
    if (kind === LOG_LOSS) {
      loss = logLoss(table, <f64>(label === 1 ? margin : -margin) * unit);
    } else if (kind === WRONG_CLASS) {
      loss = margin > 0 === (label === 1) ? 0 : 1;
    } else {
      const value: f64 =
        lows === 0 ? <f64>margin * unit : (<f64>margin * 16777216 + <f64>load<i32>(lows + 4 * row)) * lowUnit;
      const difference = value - <f64>label;
      loss = kind === SQUARE ? difference * difference : abs<f64>(difference);
    }
    if (weights !== 0) {
      const weight = <f64>load<f32>(weights + 4 * row);
      loss *= weight;
      addExact(total, weight);
    }
    if (loss < from || loss >= to) {
      const limb = topLimb(loss);
      if (limb < 2) {
        addExact(losses, loss);
        continue;
      }
      addLimbs(losses, top, inTop, inMiddle, inLow);
      inTop = 0;
      inMiddle = 0;
      inLow = 0;
      top = limb;
      const exponent = LOWEST_EXPONENT + LIMB_BITS * limb;
      from = powerOfTwo(exponent);
      to = limb === LIMBS - 1 ? Infinity : powerOfTwo(exponent + LIMB_BITS);
      unitTop = from;
      unitMiddle = powerOfTwo(exponent - LIMB_BITS);
      perTop = powerOfTwo(-exponent);
      perMiddle = powerOfTwo(LIMB_BITS - exponent);
      perLow = powerOfTwo(2 * LIMB_BITS - exponent);
    }
    const high = floor<f64>(loss * perTop);
    const rest = loss - high * unitTop;
    const middle = floor<f64>(rest * perMiddle);
    inTop += high;
    inMiddle += middle;
    inLow += floor<f64>((rest - middle * unitMiddle) * perLow);
  }
  addLimbs(losses, top, inTop, inMiddle, inLow);
}

/** Limb of the upper bits of a number that is not negative; -1 for what is dropped. */
function topLimb(value: f64): i32 {
  const exponent = <i32>((reinterpret<i64>(value) >> 52) & 2047) - 1023;
  if (exponent < LOWEST_EXPONENT) return -1;
  return min<i32>(LIMBS - 1, (exponent - LOWEST_EXPONENT) / LIMB_BITS);
}

function addLimbs(limbs: usize, top: i32, inTop: f64, inMiddle: f64, inLow: f64): void {
  const at = limbs + 8 * <usize>(top - 2);
  store<f64>(at, load<f64>(at) + inLow);
  store<f64>(at, load<f64>(at, 8) + inMiddle, 8);
  store<f64>(at, load<f64>(at, 16) + inTop, 16);
}
