// e^x with the same bits in every JavaScript engine. Math.exp is only approximately specified and its last bit
// differs between engines, which would make integer tables, and so trees, depend on who built them. IEEE + - * / are
// exact to the last bit everywhere, so nothing else is used here.
// Algorithm and constants: FreeBSD msun (fdlibm) e_exp.c, error below 1 ulp.

import { scaleByPowerOfTwo } from './scaleByPowerOfTwo.ts';

/** Only picks the nearest multiple of ln 2, so its last bit doesn't matter. */
const INVERSE_LN2 = Math.LOG2E;
const LN2_HIGH = 6.9314718036912381649e-1;
const LN2_LOW = 1.90821492927058770002e-10;
const P1 = 1.66666666666666019037e-1;
const P2 = -2.77777777770155933842e-3;
const P3 = 6.61375632143793436117e-5;
const P4 = -1.6533902205465251539e-6;
const P5 = 4.13813679705723846039e-8;
/** Above this e^x overflows a double; below the other it is zero. */
const OVERFLOW = 709.782712893384;
const UNDERFLOW = -745.1332191019411;

/** e^x, equal bit by bit on every engine. Follows Math.exp for NaN and infinities. */
export function deterministicExp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > OVERFLOW) return Infinity;
  if (x < UNDERFLOW) return 0;
  const k = Math.floor(x * INVERSE_LN2 + 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  const t = r * r;
  const c = r - t * (P1 + t * (P2 + t * (P3 + t * (P4 + t * P5))));
  return scaleByPowerOfTwo(1 - (low - (r * c) / (2 - c) - high), k);
}
