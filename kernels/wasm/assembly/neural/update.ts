// The optimizer's update of parameters (kernels/neural/ops/update.ts), four at a time.

import { FLOATS_TOGETHER } from './kernelNumbers';
import { float, uint } from './parameters';

/** Parameters with the same traits, and bytes of these. */
const BLOCK_BYTES: usize = 256;
const TRAIT_BYTES: usize = 16;

@inline
function splat(parameters: usize, place: u32): v128 {
  return f32x4.splat(float(parameters, place));
}

/** 1, −1, or what has no sign itself. */
@inline
function signs(w: v128): v128 {
  const zero = f32x4.splat(0);
  const above = f32x4.gt(w, zero);
  const below = f32x4.lt(w, zero);
  const sign = v128.or(v128.and(f32x4.splat(1), above), v128.and(f32x4.splat(-1), below));
  return v128.bitselect(sign, w, v128.or(above, below));
}

/**
 * Parameters: parameters, gradients, two slots, traits or 0, norm or 0, floats, kind (0 plain, 1 momentum, 2 Nesterov, 3 Adam with
 * the decay in the gradient, 4 with it apart), rate, scale of gradients, two corrections, weight decay, momentum or β₁, β₂, 1 − β₁,
 * 1 − β₂, ε, bound of the norm, whether values are bounded, their bound.
 */
export function update(parameters: usize, task: u32): void {
  const first = <usize>task * FLOATS_TOGETHER * 4;
  const bytes = min<usize>(FLOATS_TOGETHER * 4, (<usize>uint(parameters, 6) << 2) - first);
  const weights = <usize>uint(parameters, 0) + first;
  const gradients = <usize>uint(parameters, 1) + first;
  const slot0 = <usize>uint(parameters, 2) + first;
  const slot1 = <usize>uint(parameters, 3) + first;
  const traits = <usize>uint(parameters, 4);
  const norm = <usize>uint(parameters, 5);
  const kind = uint(parameters, 7);
  const rate = splat(parameters, 8);
  const gradientScale = splat(parameters, 9);
  const correction1 = splat(parameters, 10);
  const correction2 = splat(parameters, 11);
  const weightDecay = splat(parameters, 12);
  const hasDecay = float(parameters, 12) !== 0;
  const momentum = splat(parameters, 13);
  const beta2 = splat(parameters, 14);
  const rest1 = splat(parameters, 15);
  const rest2 = splat(parameters, 16);
  const epsilon = splat(parameters, 17);
  const mostNorm = float(parameters, 18);
  const byNorm = norm === 0 ? f32x4.splat(1) : f32x4.splat(mostNorm / max<f32>(load<f32>(norm), mostNorm));
  const isBounded = uint(parameters, 19) !== 0;
  const bound = splat(parameters, 20);
  const zero = f32x4.splat(0);
  let trainable = f32x4.splat(1);
  for (let at: usize = 0; at < bytes; at += 16) {
    const w = v128.load(weights + at);
    let g = f32x4.mul(v128.load(gradients + at), gradientScale);
    if (traits !== 0) {
      const trait_ = traits + ((first + at) / BLOCK_BYTES) * TRAIT_BYTES;
      trainable = v128.load32_splat(trait_, 8);
      g = f32x4.add(g, f32x4.mul(v128.load32_splat(trait_), signs(w)));
      g = f32x4.add(g, f32x4.mul(f32x4.mul(f32x4.splat(2), v128.load32_splat(trait_, 4)), w));
      g = f32x4.mul(g, trainable);
    }
    if (norm !== 0) g = f32x4.mul(g, byNorm);
    if (isBounded) g = f32x4.min(bound, f32x4.max(f32x4.neg(bound), g));
    let decay = zero;
    if (hasDecay) {
      decay = f32x4.mul(f32x4.mul(weightDecay, w), trainable);
      if (kind <= 3) g = f32x4.add(g, decay);
    }
    let step = g;
    if (kind >= 3) {
      const m = f32x4.add(f32x4.mul(momentum, v128.load(slot0 + at)), f32x4.mul(rest1, g));
      const v = f32x4.add(f32x4.mul(beta2, v128.load(slot1 + at)), f32x4.mul(f32x4.mul(rest2, g), g));
      v128.store(slot0 + at, m);
      v128.store(slot1 + at, v);
      step = f32x4.div(
        f32x4.div(m, correction1),
        f32x4.add(f32x4.sqrt(f32x4.div(v, correction2)), epsilon),
      );
      if (kind === 4 && hasDecay) step = f32x4.add(step, decay);
    } else if (kind > 0) {
      const v = f32x4.add(f32x4.mul(momentum, v128.load(slot0 + at)), g);
      v128.store(slot0 + at, v);
      step = kind === 2 ? f32x4.add(g, f32x4.mul(momentum, v)) : v;
    }
    v128.store(weights + at, f32x4.sub(w, f32x4.mul(rate, step)));
    v128.store(gradients + at, zero);
  }
}
