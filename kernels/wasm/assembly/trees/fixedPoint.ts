// Integer arithmetic of gradients; kernels/gbdt/fixedPoint.ts has its definition.

/** 1.0 in 2^-24. */
export const ONE: i32 = 1 << 24;
const MARGIN_LIMIT: i32 = 1 << 29;

/** round(a · b / 2^24), halves up, for 0 <= a < 2^30 and 0 <= b <= 2^24. */
export function multiplyShift(a: u32, b: u32): u32 {
  return <u32>((<u64>a * <u64>b + (1 << 23)) >> 24);
}

/** As multiplyShift for a of either sign, halves away from zero. */
export function multiplyShiftSigned(a: i32, b: u32): i32 {
  return a < 0 ? -(<i32>multiplyShift(-a, b)) : <i32>multiplyShift(a, b);
}

/** Adds a leaf's value to a margin, saturating. */
export function addToMargin(at: usize, value: i32): void {
  const sum = load<i32>(at) + value;
  store<i32>(at, max<i32>(-MARGIN_LIMIT, min<i32>(MARGIN_LIMIT, sum)));
}

/** Mixes 32 bits; see kernels/gbdt/rowHash.ts. */
function mixBits(value: u32): u32 {
  let x = value;
  x = (x ^ (x >> 16)) * 0x7feb352d;
  x = (x ^ (x >> 15)) * 0x846ca68b;
  return x ^ (x >> 16);
}

/** Hash of a round's seed; with a row's id, whether the row takes part. */
export function roundHash(seed: u32, round: u32): u32 {
  return mixBits(mixBits(seed) + round * 0x9e3779b1);
}

export function rowHash(ofRound: u32, row: u32): u32 {
  return mixBits(ofRound + row * 0x85ebca77);
}

/** Bits of the low limb of numbers that have two. */
const LIMB_BITS: i32 = 24;

/** The low limb of a product of two numbers of two limbs each. */
export function weighLow(high: i32, low: i32, weightHigh: u32, weightLow: u32): i32 {
  const rest = high * <i32>weightHigh - (multiplyShiftSigned(high, weightHigh) << LIMB_BITS);
  return rest + multiplyShiftSigned(high, weightLow) + multiplyShiftSigned(low, weightHigh);
}

/** As addToMargin for a margin of two limbs. */
export function addToWideMargin(high: usize, low: usize, units: i64): void {
  const limit = (<i64>MARGIN_LIMIT) << LIMB_BITS;
  const margin = ((<i64>load<i32>(high)) << LIMB_BITS) + <i64>load<i32>(low);
  const sum = max<i64>(-limit, min<i64>(limit, margin + units));
  const top = (sum + (1 << (LIMB_BITS - 1))) >> LIMB_BITS;
  store<i32>(high, <i32>top);
  store<i32>(low, <i32>(sum - (top << LIMB_BITS)));
}
