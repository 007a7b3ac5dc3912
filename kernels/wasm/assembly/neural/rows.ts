// Ops that see a whole row: softmax, cross-entropy, layer norm, and their gradients (kernels/neural/ops). Exponentials and sums are
// f64, one by one, in order; what is kept is rounded once.

import { exp } from './exponentials';
import { ROW_FLOATS_TOGETHER } from './kernelNumbers';
import { float, uint } from './parameters';

/** Rows of a task. */
@inline
function rowsTogether(length: u32): u32 {
  return max<u32>(1, ROW_FLOATS_TOGETHER / length);
}

@inline
function at(array: usize, i: u32): usize {
  return array + (<usize>i << 2);
}

@inline
function real(array: usize, i: u32): f64 {
  return <f64>load<f32>(at(array, i));
}

/** The largest; NaN wins. */
function largest(row: usize, length: u32): f64 {
  let top = real(row, 0);
  for (let i: u32 = 1; i < length; i += 1) top = max<f64>(top, real(row, i));
  return top;
}

/** Parameters: input, output, length of a row, rows. */
export function softmax(parameters: usize, task: u32): void {
  const length = uint(parameters, 2);
  const together = rowsTogether(length);
  const end = min(uint(parameters, 3), (task + 1) * together);
  for (let row = task * together; row < end; row += 1) {
    const input = at(<usize>uint(parameters, 0), row * length);
    const output = at(<usize>uint(parameters, 1), row * length);
    const top = largest(input, length);
    let sum: f64 = 0;
    for (let i: u32 = 0; i < length; i += 1) {
      const power = <f32>exp(real(input, i) - top);
      store<f32>(at(output, i), power);
      sum += <f64>power;
    }
    for (let i: u32 = 0; i < length; i += 1) store<f32>(at(output, i), <f32>(real(output, i) / sum));
  }
}

/** Parameters: y, gradient (becomes that of the input), length of a row, rows. */
export function softmaxGradient(parameters: usize, task: u32): void {
  const length = uint(parameters, 2);
  const together = rowsTogether(length);
  const end = min(uint(parameters, 3), (task + 1) * together);
  for (let row = task * together; row < end; row += 1) {
    const y = at(<usize>uint(parameters, 0), row * length);
    const gradient = at(<usize>uint(parameters, 1), row * length);
    let sum: f64 = 0;
    for (let i: u32 = 0; i < length; i += 1) sum += real(y, i) * real(gradient, i);
    for (let i: u32 = 0; i < length; i += 1) {
      store<f32>(at(gradient, i), <f32>(real(y, i) * (real(gradient, i) - sum)));
    }
  }
}

/**
 * Parameters: input, output, gamma, beta, means, inverses (or 0), length of a row, rows, ε.
 */
export function layerNorm(parameters: usize, task: u32): void {
  const gamma = <usize>uint(parameters, 2);
  const beta = <usize>uint(parameters, 3);
  const means = <usize>uint(parameters, 4);
  const inverses = <usize>uint(parameters, 5);
  const length = uint(parameters, 6);
  const together = rowsTogether(length);
  const epsilon = load<f64>(parameters + 64);
  const end = min(uint(parameters, 7), (task + 1) * together);
  for (let row = task * together; row < end; row += 1) {
    const input = at(<usize>uint(parameters, 0), row * length);
    const output = at(<usize>uint(parameters, 1), row * length);
    let sum: f64 = 0;
    for (let i: u32 = 0; i < length; i += 1) sum += real(input, i);
    const mean = sum / <f64>length;
    let spread: f64 = 0;
    for (let i: u32 = 0; i < length; i += 1) {
      const away = real(input, i) - mean;
      spread += away * away;
    }
    const inverse = 1 / sqrt<f64>(spread / <f64>length + epsilon);
    for (let i: u32 = 0; i < length; i += 1) {
      const scale = inverse * (gamma === 0 ? 1 : real(gamma, i));
      store<f32>(at(output, i), <f32>((real(input, i) - mean) * scale + (beta === 0 ? 0 : real(beta, i))));
    }
    if (means !== 0) store<f32>(at(means, row), <f32>mean);
    if (inverses !== 0) store<f32>(at(inverses, row), <f32>inverse);
  }
}

/** Parameters: x, gradient (becomes that of the input), gamma (or 0), means, inverses, length of a row, rows. */
export function layerNormGradient(parameters: usize, task: u32): void {
  const gamma = <usize>uint(parameters, 2);
  const length = uint(parameters, 5);
  const together = rowsTogether(length);
  const end = min(uint(parameters, 6), (task + 1) * together);
  for (let row = task * together; row < end; row += 1) {
    const x = at(<usize>uint(parameters, 0), row * length);
    const gradient = at(<usize>uint(parameters, 1), row * length);
    const mean = real(<usize>uint(parameters, 3), row);
    const inverse = real(<usize>uint(parameters, 4), row);
    let sum: f64 = 0;
    let along: f64 = 0;
    for (let i: u32 = 0; i < length; i += 1) {
      const g = real(gradient, i) * (gamma === 0 ? 1 : real(gamma, i));
      sum += g;
      along += g * (real(x, i) - mean) * inverse;
    }
    for (let i: u32 = 0; i < length; i += 1) {
      const g = real(gradient, i) * (gamma === 0 ? 1 : real(gamma, i));
      const normalized = (real(x, i) - mean) * inverse;
      store<f32>(at(gradient, i), <f32>(inverse * (g - (sum + normalized * along) / <f64>length)));
    }
  }
}

/** Groups of the sum of squares, and floats that one takes at a time: as update.ts of the ops has them. */
const SQUARE_FLOATS: u32 = 256;

/**
 * Squares of the averaged gradients with their penalties, group by group.
 * Parameters: gradients, parameters, traits or 0, squares, floats, scale, groups. Task: a group.
 */
export function gradientSquares(parameters: usize, task: u32): void {
  const gradients = <usize>uint(parameters, 0);
  const weights = <usize>uint(parameters, 1);
  const traits = <usize>uint(parameters, 2);
  const length = uint(parameters, 4);
  const scale = float(parameters, 5);
  let sum: f64 = 0;
  for (let start = task * SQUARE_FLOATS; start < length; start += uint(parameters, 6) * SQUARE_FLOATS) {
    const end = min(length, start + SQUARE_FLOATS);
    for (let i = start; i < end; i += 1) {
      let g: f32 = load<f32>(at(gradients, i)) * scale;
      if (traits !== 0) {
        const trait_ = traits + (<usize>(i >> 6) << 4);
        const w: f32 = load<f32>(at(weights, i));
        const sign: f32 = w > 0 ? 1 : w < 0 ? -1 : w;
        g = g + load<f32>(trait_) * sign;
        g = (g + 2 * load<f32>(trait_, 4) * w) * load<f32>(trait_, 8);
      }
      sum += <f64>g * <f64>g;
    }
  }
  store<f32>(at(<usize>uint(parameters, 3), task), <f32>sum);
}
