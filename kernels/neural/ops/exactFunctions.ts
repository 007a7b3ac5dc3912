// Functions of activations and losses with the same bits on every machine: Math's are only approximately specified. The kernels
// of WebAssembly have the same operations in the same order (kernels/wasm/assembly/neural/exponentials.ts).

import { deterministicExp } from '../../fixed/deterministicExp.ts';
import { deterministicLog } from '../../fixed/deterministicLog.ts';

/** e^x − 1. */
export function expMinusOne(x: number): number {
  if (Math.abs(x) < 1e-5) return x + 0.5 * x * x;
  return deterministicExp(x) - 1;
}

/** ln(1 + x) of x ≥ 0. */
function logOnePlus(x: number): number {
  if (x < 1e-5) return x - 0.5 * x * x;
  return deterministicLog(1 + x);
}

export function tanh(x: number): number {
  const z = Math.abs(x);
  if (z < 1e-4) return x - (x * x * x) / 3;
  const e = deterministicExp(-2 * z);
  const t = (1 - e) / (1 + e);
  return x < 0 ? -t : t;
}

export function sigmoid(x: number): number {
  return 1 / (1 + deterministicExp(-x));
}

/** ln(1 + eˣ), which no x overflows. */
export function softplus(x: number): number {
  return Math.max(x, 0) + logOnePlus(deterministicExp(-Math.abs(x)));
}

/** Abramowitz & Stegun 7.1.26, within 1.5e-7: as good as f32. */
function erf(x: number): number {
  const z = Math.abs(x);
  const t = 1 / (1 + 0.3275911 * z);
  const p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const y = 1 - p * deterministicExp(-z * z);
  return x < 0 ? -y : y;
}

export function normalCdf(x: number): number {
  return 0.5 * (1 + erf(x * Math.SQRT1_2));
}

/** √(2π) as its double. */
const SQRT_TWO_PI = 2.5066282746310002;

export function normalDensity(x: number): number {
  return deterministicExp(-0.5 * x * x) / SQRT_TWO_PI;
}
