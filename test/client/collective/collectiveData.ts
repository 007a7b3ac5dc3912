// Seeded arrays and the oracle for reductions: a plain loop over ranks, written apart from the code under test.

import { expect } from 'vitest';
import type { NumericArray, ReduceOperation } from '../../../shared/collective/collective.ts';

export type ArrayKind = 'f64' | 'f32' | 'i32' | 'u32';

const makers = {
  f64: (length: number) => new Float64Array(length),
  f32: (length: number) => new Float32Array(length),
  i32: (length: number) => new Int32Array(length),
  u32: (length: number) => new Uint32Array(length),
} as const;

/** Magnitudes of floats. */
const scales = Array.from({ length: 16 }, (_, at) => 10 ** (at - 8));

/** Floats span many magnitudes, so that another order of summation gives other bits; integers overflow. */
export function randomArray(kind: ArrayKind, length: number, seed: number): NumericArray {
  const array: NumericArray = makers[kind](length);
  let state = (seed * 2654435761 + 12345) >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
  for (let i = 0; i < length; i += 1) {
    const value = next();
    array[i] =
      kind === 'i32' || kind === 'u32'
        ? value
        : ((value - 2 ** 31) / 2 ** 31) * (scales[next() >>> 28] as number);
  }
  if (length > 60 && (kind === 'f32' || kind === 'f64')) {
    array[0] = seed % 2 ? Number.POSITIVE_INFINITY : 1;
    array[1] = seed % 3 ? Number.NaN : 2;
    array[2] = -0;
  }
  return array;
}

export function rankOrderReduction(
  inputs: readonly NumericArray[],
  operation: ReduceOperation,
): NumericArray {
  const result = (inputs[0] as NumericArray).slice();
  for (let i = 0; i < result.length; i += 1) {
    for (const input of inputs.slice(1)) {
      const left = result[i] as number;
      const right = input[i] as number;
      // Storing into the array rounds to float32 or wraps to 32 bits after every step.
      if (operation === 'sum') result[i] = left + right;
      else if (operation === 'min') result[i] = Math.min(left, right);
      else result[i] = Math.max(left, right);
    }
  }
  return result;
}

export function expectSameBits(actual: NumericArray, expected: NumericArray): void {
  expect(actual.constructor).toBe(expected.constructor);
  expect(actual.length).toBe(expected.length);
  const view = (array: NumericArray): Buffer => Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  expect(Buffer.compare(view(actual), view(expected))).toBe(0);
}
