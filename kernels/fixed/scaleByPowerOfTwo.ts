// Multiplication by 2^k from exact doublings alone: Math.pow is only approximately specified.

/** 2^k for -1022 <= k <= 1023; every step is exact. */
function powerOfTwo(k: number): number {
  let result = 1;
  let base = k < 0 ? 0.5 : 2;
  for (let rest = Math.abs(k); rest > 0; rest >>= 1) {
    if ((rest & 1) === 1) result *= base;
    base *= base;
  }
  return result;
}

/** x · 2^k for -2044 <= k <= 2046, rounded once. Two steps, so that 2^1024 and subnormal results come out right. */
export function scaleByPowerOfTwo(x: number, k: number): number {
  const half = k >> 1;
  return x * powerOfTwo(half) * powerOfTwo(k - half);
}
