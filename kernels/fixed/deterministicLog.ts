// Natural logarithm with the same bits in every JavaScript engine; see deterministicExp.ts for the reason.
// Algorithm and constants: FreeBSD msun (fdlibm) e_log.c, error below 1 ulp.

const LN2_HIGH = 6.9314718036912381649e-1;
const LN2_LOW = 1.90821492927058770002e-10;
const LG1 = 6.66666666666673513e-1;
const LG2 = 3.999999999940941908e-1;
const LG3 = 2.857142874366239149e-1;
const LG4 = 2.222219843214978396e-1;
const LG5 = 1.818357216161805012e-1;
const LG6 = 1.531383769920937332e-1;
const LG7 = 1.479819860511658591e-1;
/** The mantissa is brought into [SQRT_HALF, 2 * SQRT_HALF). */
const SQRT_HALF = Math.SQRT1_2;

/** ln x, equal bit by bit on every engine. Follows Math.log for zero, negatives, NaN and infinity. */
export function deterministicLog(x: number): number {
  if (Number.isNaN(x) || x < 0) return NaN;
  if (x === 0) return -Infinity;
  if (x === Infinity) return x;
  // x = m · 2^k. Scaling by powers of two is exact; large strides first keep the loops short over the whole range.
  let m = x;
  let k = 0;
  while (m < 2 ** -64) {
    m *= 2 ** 64;
    k -= 64;
  }
  while (m >= 2 ** 64) {
    m *= 2 ** -64;
    k += 64;
  }
  while (m < 2 ** -8) {
    m *= 256;
    k -= 8;
  }
  while (m >= 256) {
    m *= 2 ** -8;
    k += 8;
  }
  while (m < SQRT_HALF) {
    m *= 2;
    k -= 1;
  }
  while (m >= 2 * SQRT_HALF) {
    m *= 0.5;
    k += 1;
  }
  const f = m - 1;
  const s = f / (2 + f);
  const z = s * s;
  const r = z * (LG1 + z * (LG2 + z * (LG3 + z * (LG4 + z * (LG5 + z * (LG6 + z * LG7))))));
  const halfSquare = 0.5 * f * f;
  return k * LN2_HIGH - (halfSquare - (s * (halfSquare + r) + k * LN2_LOW) - f);
}
