// e^x of a float32 as the C library of Linux computes it (glibc since 2.27), by which XGBoost turns margins into predictions.
// It is within 0.502 ulp of the true value, but not always the nearest float: to give XGBoost's bits, its very steps are
// taken. Only + - * of doubles are used, which are exact to the last bit everywhere.
// Algorithm and coefficients: Arm Optimized Routines, expf: e^x = 2^(k/32) · p(r), where x/ln 2 = k/32 + r/32.

import { scaleByPowerOfTwo } from '../../../kernels/fixed/scaleByPowerOfTwo.ts';

const STEPS = 32;
const STEPS_PER_UNIT = Math.LOG2E * STEPS;
/** Adding and taking away rounds to an integer. */
const ROUNDING = 1.5 * 2 ** 52;
const CUBIC = 0.05550361559341535 / STEPS / STEPS / STEPS;
const SQUARE = 0.2402284522445722 / STEPS / STEPS;
const LINEAR = 0.6931471806916203 / STEPS;
/** Beyond them the result is infinite or 0. */
const OVERFLOW = 88.72283172607422;
const UNDERFLOW = -103.972076416015625;

/** 2^(i/32), the nearest double each. */
// prettier-ignore
const POWERS: readonly number[] = [
  1.0, 1.0218971486541166, 1.0442737824274138, 1.0671404006768237,
  1.0905077326652577, 1.1143867425958924, 1.1387886347566916, 1.1637248587775775,
  1.189207115002721, 1.215247359980469, 1.241857812073484, 1.2690509571917332,
  1.2968395546510096, 1.3252366431597413, 1.3542555469368927, 1.383909881963832,
  Math.SQRT2, 1.4451808069770467, 1.4768261459394993, 1.5091644275934228,
  1.5422108254079407, 1.5759808451078865, 1.6104903319492543, 1.645755478153965,
  1.681792830507429, 1.718619298122478, 1.7562521603732995, 1.7947090750031072,
  1.8340080864093424, 1.8741676341103, 1.9152065613971474, 1.9571441241754002,
];

/** Powers of 2 from -LOWEST on, for all results that a float32 holds. */
const LOWEST = 152;
const EXPONENTS: readonly number[] = Array.from({ length: LOWEST + 130 }, (_, i) =>
  scaleByPowerOfTwo(1, i - LOWEST),
);

/** @param x a float32. @returns a float32. */
export function floatExp(x: number): number {
  if (x > OVERFLOW) return Infinity;
  if (x < UNDERFLOW) return 0;
  // NaN is the only number unlike itself.
  if (x !== x) return x;
  const z = STEPS_PER_UNIT * x;
  const steps = z + ROUNDING - ROUNDING;
  const r = z - steps;
  // Integers from here on: the low bits are the place between two powers of 2.
  const scale = POWERS[steps & (STEPS - 1)]! * EXPONENTS[(steps >> 5) + LOWEST]!;
  return Math.fround(((CUBIC * r + SQUARE) * (r * r) + (LINEAR * r + 1)) * scale);
}
