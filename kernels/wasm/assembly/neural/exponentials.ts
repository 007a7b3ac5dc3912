// e^x, ln x and what is made of them, as kernels/fixed and kernels/neural/ops/exactFunctions.ts have them: the same operations in
// the same order, for the same bits.

const INVERSE_LN2: f64 = 1.4426950408889634;
const LN2_HIGH: f64 = 6.9314718036912381649e-1;
const LN2_LOW: f64 = 1.90821492927058770002e-10;
const P1: f64 = 1.66666666666666019037e-1;
const P2: f64 = -2.77777777770155933842e-3;
const P3: f64 = 6.61375632143793436117e-5;
const P4: f64 = -1.6533902205465251539e-6;
const P5: f64 = 4.13813679705723846039e-8;
const OVERFLOW: f64 = 709.782712893384;
const UNDERFLOW: f64 = -745.1332191019411;

@inline
function powerOfTwo(k: i32): f64 {
  return reinterpret<f64>(<u64>(k + 1023) << 52);
}

export function exp(x: f64): f64 {
  if (x !== x) return x;
  if (x > OVERFLOW) return Infinity;
  if (x < UNDERFLOW) return 0;
  const k = floor<f64>(x * INVERSE_LN2 + 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  const t = r * r;
  const c = r - t * (P1 + t * (P2 + t * (P3 + t * (P4 + t * P5))));
  const whole = <i32>k;
  const half = whole >> 1;
  return (1 - (low - (r * c) / (2 - c) - high)) * powerOfTwo(half) * powerOfTwo(whole - half);
}

const LG1: f64 = 6.66666666666673513e-1;
const LG2: f64 = 3.999999999940941908e-1;
const LG3: f64 = 2.857142874366239149e-1;
const LG4: f64 = 2.222219843214978396e-1;
const LG5: f64 = 1.818357216161805012e-1;
const LG6: f64 = 1.531383769920937332e-1;
const LG7: f64 = 1.479819860511658591e-1;
const SQRT_HALF: f64 = 0.7071067811865476;

export function log(x: f64): f64 {
  if (x !== x || x < 0) return NaN;
  if (x === 0) return -Infinity;
  if (x === Infinity) return x;
  let m = x;
  let k: f64 = 0;
  while (m < 5.421010862427522e-20) {
    m *= 18446744073709551616.0;
    k -= 64;
  }
  while (m >= 18446744073709551616.0) {
    m *= 5.421010862427522e-20;
    k += 64;
  }
  while (m < 0.00390625) {
    m *= 256;
    k -= 8;
  }
  while (m >= 256) {
    m *= 0.00390625;
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

/** e^x − 1. */
export function expMinusOne(x: f64): f64 {
  if (abs<f64>(x) < 1e-5) return x + 0.5 * x * x;
  return exp(x) - 1;
}

/** ln(1 + x) of x ≥ 0. */
export function logOnePlus(x: f64): f64 {
  if (x < 1e-5) return x - 0.5 * x * x;
  return log(1 + x);
}

export function tanh(x: f64): f64 {
  const z = abs<f64>(x);
  if (z < 1e-4) return x - (x * x * x) / 3;
  const e = exp(-2 * z);
  const t = (1 - e) / (1 + e);
  return x < 0 ? -t : t;
}

export function sigmoid(x: f64): f64 {
  return 1 / (1 + exp(-x));
}

/** log(1 + eˣ). */
export function softplus(x: f64): f64 {
  return (x > 0 || x !== x ? x : 0) + logOnePlus(exp(-abs<f64>(x)));
}

export function erf(x: f64): f64 {
  const z = abs<f64>(x);
  const t = 1 / (1 + 0.3275911 * z);
  const p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const y = 1 - p * exp(-z * z);
  return x < 0 ? -y : y;
}

export function normalCdf(x: f64): f64 {
  return 0.5 * (1 + erf(x * 0.7071067811865476));
}

export function normalDensity(x: f64): f64 {
  return exp(-0.5 * x * x) / 2.5066282746310002;
}
