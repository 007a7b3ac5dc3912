// The WGSL twins of fixedPoint.ts, probabilityTable.ts and rowHash.ts: 32-bit integers only, equal to the last bit.

import { MARGIN_LIMIT, ONE } from '../fixedPoint.ts';
import { LIMB_BITS } from '../treeDevice.ts';
import { EXP_LIMIT, INTERPOLATION_BITS, SIGMOID_LIMIT } from '../probabilityTable.ts';

const interpolation = `
const FRACTION_MASK = ${(1 << INTERPOLATION_BITS) - 1}u;
const HALF_STEP = ${1 << (INTERPOLATION_BITS - 1)}u;`;

/** multiplyShift and its signed form: 24-bit factors from 12-bit halves, since WGSL has no 64-bit product. */
export const multiplyShiftWgsl = `
const ONE = ${ONE}u;
fn multiplyShift(a: u32, b: u32) -> u32 {
  let aHigh = a >> 12u;
  let aLow = a & 4095u;
  let bHigh = b >> 12u;
  let bLow = b & 4095u;
  let middle = aHigh * bLow + aLow * bHigh + ((aLow * bLow + (1u << 23u)) >> 12u);
  return aHigh * bHigh + (middle >> 12u);
}
fn multiplyShiftSigned(a: i32, b: u32) -> i32 {
  let size = i32(multiplyShift(u32(abs(a)), b));
  return select(size, -size, a < 0);
}
fn curvature(probability: u32) -> u32 {
  return max(multiplyShift(probability, ONE - probability), 1u);
}`;

/** Needs multiplyShiftWgsl. The product and the shifted limb wrap around; their difference fits 24 bits. */
export const weighLowWgsl = `
fn weighLow(high: i32, low: i32, weightHigh: u32, weightLow: u32) -> i32 {
  let rest = high * i32(weightHigh) - (multiplyShiftSigned(high, weightHigh) << ${LIMB_BITS}u);
  return rest + multiplyShiftSigned(high, weightLow) + multiplyShiftSigned(low, weightHigh);
}`;

/** Needs a storage array \`sigmoidTable\`. */
export const sigmoidWgsl = `${interpolation}
fn sigmoidFixed(margin: i32) -> u32 {
  let size = min(u32(abs(margin)), ${SIGMOID_LIMIT}u);
  let index = size >> ${INTERPOLATION_BITS}u;
  let start = sigmoidTable[index];
  let rise = sigmoidTable[min(index + 1u, arrayLength(&sigmoidTable) - 1u)] - start;
  let probability = start + ((rise * (size & FRACTION_MASK) + HALF_STEP) >> ${INTERPOLATION_BITS}u);
  return select(probability, ONE - probability, margin < 0);
}`;

/** Needs a storage array \`expTable\`. divideToOne is a long division: 24 steps of shift and subtract. */
export const softmaxWgsl = `${interpolation}
fn expFixed(distance: u32) -> u32 {
  let size = min(distance, ${EXP_LIMIT}u);
  let index = size >> ${INTERPOLATION_BITS}u;
  let start = expTable[index];
  let fall = start - expTable[min(index + 1u, arrayLength(&expTable) - 1u)];
  return start - ((fall * (size & FRACTION_MASK) + HALF_STEP) >> ${INTERPOLATION_BITS}u);
}
fn divideToOne(part: u32, total: u32) -> u32 {
  var quotient = part / total;
  var rest = part % total;
  for (var bit = 0u; bit < 24u; bit++) {
    rest = rest << 1u;
    quotient = quotient << 1u;
    if (rest >= total) {
      rest -= total;
      quotient |= 1u;
    }
  }
  return quotient + select(0u, 1u, rest + total / 2u >= total);
}`;

export const rowHashWgsl = `
fn mixBits(value: u32) -> u32 {
  var x = value;
  x = (x ^ (x >> 16u)) * 0x7feb352du;
  x = (x ^ (x >> 15u)) * 0x846ca68bu;
  return x ^ (x >> 16u);
}
fn rowHash(seed: u32, round: u32, rowId: u32) -> u32 {
  return mixBits(mixBits(mixBits(seed) + round * 0x9e3779b1u) + rowId * 0x85ebca77u);
}`;

/** Adds limb by limb; the low one stays within ±2^23. */
export const addToWideMarginWgsl = `
fn addToWideMargin(margin: vec2<i32>, value: vec2<i32>) -> vec2<i32> {
  let low = margin.y + value.y;
  let carry = (low + ${2 ** (LIMB_BITS - 1)}) >> ${LIMB_BITS}u;
  let sum = vec2<i32>(margin.x + value.x + carry, low - (carry << ${LIMB_BITS}u));
  let limit = ${MARGIN_LIMIT};
  if (sum.x > limit || (sum.x == limit && sum.y > 0)) { return vec2<i32>(limit, 0); }
  if (sum.x < -limit || (sum.x == -limit && sum.y < 0)) { return vec2<i32>(-limit, 0); }
  return sum;
}`;

export const addToMarginWgsl = `
fn addToMargin(margin: i32, value: i32) -> i32 {
  return clamp(margin + value, -${MARGIN_LIMIT}, ${MARGIN_LIMIT});
}`;
