// How far two computations of one gradient may lie apart: devices round differently.

/**
 * Largest relative distance |a − b| / |a| of honest pairs, of one part over all buckets. Measured: docs/trust.md has the figures by
 * device. A lie within it changes a gradient by less than this part of its length.
 */
export const GRADIENT_TOLERANCE = 1e-3;

/** Stands for "not within the tolerance": what devices find then differs from device to device. */
export const farDigest = 'f'.repeat(32);

/** |a − b| / max(|a|, |b|) in the Euclidean norm, over arrays one after another; NaN and infinities are Infinity unless equal. */
export function relativeDistance(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  let apart = 0;
  let ofA = 0;
  let ofB = 0;
  for (const [at, values] of a.entries()) {
    const others = b[at]!;
    for (let i = 0; i < values.length; i += 1) {
      const x = values[i]!;
      const y = others[i]!;
      if (Object.is(x, y)) continue;
      apart += (x - y) ** 2;
    }
    for (const value of values) ofA += value ** 2;
    for (const value of others) ofB += value ** 2;
  }
  if (apart === 0) return 0;
  const distance = Math.sqrt(apart / Math.max(ofA, ofB));
  return Number.isFinite(distance) ? distance : Infinity;
}
