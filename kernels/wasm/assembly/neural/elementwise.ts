// Each element by itself: activations, their gradients, sums and products. Simple formulas four at a time in f32, the others one
// by one in f64, rounded once (kernels/neural/ops/activations.ts).

import * as e from './exponentials';
import * as k from './kernelNumbers';
import { float, uint } from './parameters';

const SELU_SCALE: f64 = 1.0507009873554805;
const SELU_SCALE_ALPHA: f64 = 1.7580993408473768;

@inline
function bounded(x: f64): f64 {
  return x < -88 ? -88 : x;
}

@inline
function sign(x: f64): f64 {
  return x > 0 ? 1 : x < 0 ? -1 : x;
}

/** From `x`, which is the input or the output, and `g`, the gradient of the output. */
function slow(formula: u32, x: f64, g: f64, alpha: f64): f64 {
  switch (formula) {
    case k.ELU:
      return x < 0 ? alpha * e.expMinusOne(x) : x;
    case k.ELU_GRADIENT:
      return x < 0 ? g * alpha * e.exp(x) : g;
    case k.SELU:
      return x < 0 ? SELU_SCALE_ALPHA * e.expMinusOne(x) : SELU_SCALE * x;
    case k.SELU_GRADIENT:
      return g * (x < 0 ? SELU_SCALE_ALPHA * e.exp(x) : SELU_SCALE);
    case k.SOFTPLUS:
      return e.softplus(x);
    case k.SOFTPLUS_GRADIENT:
      return g * e.sigmoid(x);
    case k.SOFTSIGN:
      return abs<f64>(x) > 1e30 ? sign(x) : x / (1 + abs<f64>(x));
    case k.SOFTSIGN_GRADIENT:
      return g * (1 - abs<f64>(x)) * (1 - abs<f64>(x));
    case k.HARD_SIGMOID:
      return x < -2.5 ? 0 : x > 2.5 ? 1 : 0.2 * x + 0.5;
    case k.HARD_SIGMOID_GRADIENT:
      return x <= 0 || x >= 1 ? 0 : g * 0.2;
    case k.MISH:
      return bounded(x) * e.tanh(e.softplus(bounded(x)));
    case k.MISH_GRADIENT: {
      const t = e.tanh(e.softplus(bounded(x)));
      return g * (t + bounded(x) * (1 - t * t) * e.sigmoid(bounded(x)));
    }
    case k.SIGMOID:
      return e.sigmoid(x);
    case k.SIGMOID_GRADIENT:
      return g * x * (1 - x);
    case k.TANH:
      return e.tanh(x);
    case k.TANH_GRADIENT:
      return g * (1 - x * x);
    case k.SWISH:
      return x * e.sigmoid(x);
    case k.SWISH_GRADIENT: {
      const s = e.sigmoid(x);
      return g * s * (1 + x * (1 - s));
    }
    case k.GELU:
      return x * e.normalCdf(x);
    case k.GELU_GRADIENT:
      return g * (e.normalCdf(x) + x * e.normalDensity(x));
    default:
      return unreachable();
  }
}

@inline
function quick(formula: u32, a: v128, b: v128, before: v128, scale: v128, offset: v128): v128 {
  const zero = f32x4.splat(0);
  const six = f32x4.splat(6);
  switch (formula) {
    case k.RELU:
      return v128.andnot(a, f32x4.lt(a, zero));
    case k.RELU_GRADIENT:
      return v128.andnot(before, f32x4.le(a, zero));
    case k.RELU6:
      return v128.bitselect(six, v128.andnot(a, f32x4.lt(a, zero)), f32x4.gt(a, six));
    case k.RELU6_GRADIENT:
      return v128.andnot(before, v128.or(f32x4.le(a, zero), f32x4.ge(a, six)));
    case k.LEAKY_RELU:
      return v128.bitselect(f32x4.mul(a, scale), a, f32x4.lt(a, zero));
    case k.LEAKY_RELU_GRADIENT:
      return v128.bitselect(f32x4.mul(before, scale), before, f32x4.lt(a, zero));
    case k.SUM:
      return f32x4.add(a, b);
    case k.ADD_TO:
      return f32x4.add(before, a);
    case k.PRODUCT:
      return f32x4.mul(a, b);
    case k.MULTIPLY_BY:
      return f32x4.mul(before, a);
    case k.COPY:
      return a;
    case k.AFFINE:
      return f32x4.add(f32x4.mul(a, scale), offset);
    case k.SCALE_BY:
      return f32x4.mul(before, scale);
    default:
      return unreachable();
  }
}

/** Parameters: formula, a, b, result, elements, two constants. Arrays that the formula does not read are any. */
export function elementwise(parameters: usize, task: u32): void {
  const formula = uint(parameters, 0);
  const first = task * k.FLOATS_TOGETHER;
  const count = min<u32>(k.FLOATS_TOGETHER, uint(parameters, 4) - first);
  const skipped = <usize>first << 2;
  let a = <usize>uint(parameters, 1) + skipped;
  let b = <usize>uint(parameters, 2) + skipped;
  let result = <usize>uint(parameters, 3) + skipped;
  if (formula >= <u32>k.ELU) {
    const alpha = load<f64>(parameters + 40);
    for (const end = result + (<usize>count << 2); result < end; result += 4, a += 4) {
      store<f32>(result, <f32>slow(formula, <f64>load<f32>(a), <f64>load<f32>(result), alpha));
    }
    return;
  }
  const scale = f32x4.splat(float(parameters, 5));
  const offset = f32x4.splat(float(parameters, 6));
  const end = result + (<usize>count << 2);
  const last = result + (<usize>(count & ~3) << 2);
  for (; result < last; result += 16, a += 16, b += 16) {
    v128.store(result, quick(formula, v128.load(a), v128.load(b), v128.load(result), scale, offset));
  }
  for (; result < end; result += 4, a += 4, b += 4) {
    const value = quick(
      formula,
      v128.load32_zero(a),
      v128.load32_zero(b),
      v128.load32_zero(result),
      scale,
      offset,
    );
    v128.store_lane<f32>(result, value, 0);
  }
}
