// Fingerprints of histograms: their inner product with the weights of a key. They are linear, so that those of parts add up to
// that of the whole, whoever has computed which part.

import type { CheckKey, Fingerprint } from './checkKey.ts';
import { multiply, reduce } from './modular.ts';

/** Cells are taken in two halves of so many bits, so that products with weights add up exactly. */
const HALF = 2 ** 27;
/** Slots whose products add up exactly: of each, two of 47 bits. */
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
  return key.vectors.map(({ modulus, slots, hessian }) => {
    let gradients = 0;
    let hessians = 0;
    for (let begin = 0; begin < cells.length; begin += 2 * EXACT_SLOTS) {
      const end = Math.min(cells.length, begin + 2 * EXACT_SLOTS);
      let lowG = 0;
      let highG = 0;
      let lowH = 0;
      let highH = 0;
      for (let at = begin, slot = firstSlot + begin / 2; at < end; at += 2, slot += 1) {
        const weight = slots[slot]!;
        const g = cells[at]!;
        const h = cells[at + 1]!;
        const upperG = Math.floor(g / HALF);
        const upperH = Math.floor(h / HALF);
        highG += weight * upperG;
        lowG += weight * (g - upperG * HALF);
        highH += weight * upperH;
        lowH += weight * (h - upperH * HALF);
      }
      gradients = reduce(gradients + joined(lowG, highG, modulus), modulus);
      hessians = reduce(hessians + joined(lowH, highH, modulus), modulus);
    }
    return reduce(gradients + multiply(hessians, hessian, modulus), modulus);
  });
}

function joined(low: number, high: number, modulus: CheckKey['vectors'][number]['modulus']): number {
  return reduce(reduce(low, modulus) + multiply(reduce(high, modulus), HALF, modulus), modulus);
}
