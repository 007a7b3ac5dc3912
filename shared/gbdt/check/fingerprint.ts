// Fingerprints of histograms: their inner product with the weights of a key. They are linear, so that those of parts add up to
// that of the whole, whoever has computed which part.

import type { CheckKey, CheckVector, Fingerprint } from './checkKey.ts';
import { multiply, reduce, ROUNDING, type Modulus } from './modular.ts';

/** Cells are taken in three parts of so many bits, so that products with weights add up exactly. */
const PART = 2 ** 18;
/** Slots whose products add up exactly: of each, products below 2^48. */
const EXACT_SLOTS = 32;

export const nothing = ({ vectors }: CheckKey): Fingerprint => vectors.map(() => 0);

export function add(key: CheckKey, a: Fingerprint, b: Fingerprint): Fingerprint {
  return key.vectors.map(({ modulus }, i) => reduce(a[i]! + b[i]!, modulus));
}

/** @param factor an integer from 0 to 2^31. */
export function scale(key: CheckKey, a: Fingerprint, factor: number): Fingerprint {
  return key.vectors.map(({ modulus }, i) => multiply(a[i]!, reduce(factor, modulus), modulus));
}

export function isEqual(a: Fingerprint, b: Fingerprint): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/**
 * @param cells [slot][g, h], integers of at most 2^53.
 * @param firstSlot slot of the node's histogram at which they begin.
 */
export function fingerprintOf(key: CheckKey, cells: Float64Array, firstSlot: number): Fingerprint {
  return key.vectors.map((vector) => ofVector(vector, cells, firstSlot));
}

/** Written out: arrays of the six sums take four times as long. */
function ofVector({ modulus, slots, hessian }: CheckVector, cells: Float64Array, firstSlot: number): number {
  let lowGs = 0;
  let middleGs = 0;
  let highGs = 0;
  let lowHs = 0;
  let middleHs = 0;
  let highHs = 0;
  for (let begin = 0; begin < cells.length; begin += 2 * EXACT_SLOTS) {
    const end = Math.min(cells.length, begin + 2 * EXACT_SLOTS);
    let lowG = 0;
    let middleG = 0;
    let highG = 0;
    let lowH = 0;
    let middleH = 0;
    let highH = 0;
    for (let at = begin, slot = firstSlot + begin / 2; at < end; at += 2, slot += 1) {
      const weight = slots[slot]!;
      const g = cells[at]!;
      const h = cells[at + 1]!;
      const upperG = g * (1 / PART) + ROUNDING - ROUNDING;
      const upperH = h * (1 / PART) + ROUNDING - ROUNDING;
      const topG = upperG * (1 / PART) + ROUNDING - ROUNDING;
      const topH = upperH * (1 / PART) + ROUNDING - ROUNDING;
      lowG += weight * (g - upperG * PART);
      middleG += weight * (upperG - topG * PART);
      highG += weight * topG;
      lowH += weight * (h - upperH * PART);
      middleH += weight * (upperH - topH * PART);
      highH += weight * topH;
    }
    lowGs = reduce(lowGs + reduce(lowG, modulus), modulus);
    middleGs = reduce(middleGs + reduce(middleG, modulus), modulus);
    highGs = reduce(highGs + reduce(highG, modulus), modulus);
    lowHs = reduce(lowHs + reduce(lowH, modulus), modulus);
    middleHs = reduce(middleHs + reduce(middleH, modulus), modulus);
    highHs = reduce(highHs + reduce(highH, modulus), modulus);
  }
  const gradients = joined(lowGs, middleGs, highGs, modulus);
  const hessians = joined(lowHs, middleHs, highHs, modulus);
  return reduce(gradients + multiply(hessians, hessian, modulus), modulus);
}

function joined(low: number, middle: number, high: number, modulus: Modulus): number {
  const upper = reduce(multiply(high, PART, modulus) + middle, modulus);
  return reduce(multiply(upper, PART, modulus) + low, modulus);
}
