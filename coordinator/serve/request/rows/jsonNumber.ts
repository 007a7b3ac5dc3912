// A number of JSON from its bytes: the same as JSON.parse makes of it.

import { bufferUnder } from '../../../http/bodyText.ts';
import { STOP } from './jsonBytes.ts';

const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
const SMALL_E = 0x65;
const CASE_BIT = 0x20;

/** Powers of ten that are exact as doubles. */
const POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** Any number of so many digits is exact as a double. */
const EXACT_DIGITS = 15;
/** With more, rounding steps add up beyond `MARGIN`. */
const NEAR_DIGITS = 22;
/** More than all rounding steps of a number of `NEAR_DIGITS` together, relative to it: each is 2^-53 at most. */
const MARGIN = 2 ** -47;

/**
 * Reads a number into `into[0]`.
 * @param asFloat32 its float32 is asked for: `into[0]` may be another double of the same float32.
 * @returns the position behind it; STOP where there is none.
 */
export function afterNumber(bytes: Uint8Array, from: number, asFloat32: boolean, into: Float64Array): number {
  const isNegative = bytes[from] === MINUS;
  const wholeFrom = isNegative ? from + 1 : from;
  let at = wholeFrom;
  let digits = 0;
  for (let digit = bytes[at]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++at]! - ZERO)
    digits = digits * 10 + digit;
  let count = at - wholeFrom;
  // JSON has no leading zeros.
  if (count === 0 || (count > 1 && bytes[wholeFrom] === ZERO)) return STOP;
  let exponent = 0;
  if (bytes[at] === POINT) {
    const pointAt = at++;
    for (let digit = bytes[at]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++at]! - ZERO)
      digits = digits * 10 + digit;
    exponent = pointAt + 1 - at;
    if (exponent === 0) return STOP;
    count -= exponent;
  }
  if ((bytes[at]! | CASE_BIT) === SMALL_E) {
    const end = afterExponent(bytes, at + 1);
    if (end === STOP) return STOP;
    exponent += Number(ascii(bytes, at + 1, end));
    at = end;
  }
  if (count > NEAR_DIGITS || (count > EXACT_DIGITS && !asFloat32) || exponent > 22 || exponent < -22) {
    into[0] = Number(ascii(bytes, from, at));
    return at;
  }
  // Both are exact, so that the result is rounded once (W. Clinger, How to read floating point numbers accurately).
  const size =
    exponent === 0 ? digits : exponent < 0 ? digits / POWERS[-exponent]! : digits * POWERS[exponent]!;
  const isSure =
    count <= EXACT_DIGITS || Math.fround(size * (1 - MARGIN)) === Math.fround(size * (1 + MARGIN));
  into[0] = isSure ? (isNegative ? -size : size) : Number(ascii(bytes, from, at));
  return at;
}

/** @param at behind the "e". */
function afterExponent(bytes: Uint8Array, at: number): number {
  const from = bytes[at] === MINUS || bytes[at] === PLUS ? at + 1 : at;
  let next = from;
  while (bytes[next]! >= ZERO && bytes[next]! <= ZERO + 9) next += 1;
  return next > from ? next : STOP;
}

function ascii(bytes: Uint8Array, from: number, to: number): string {
  return bufferUnder(bytes).toString('latin1', from, to);
}
