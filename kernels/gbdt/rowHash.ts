// Row sampling without shared state: whether a row takes part in a round is a hash of seed, round and row id, so it
// doesn't depend on who holds the row. The WGSL twin is in fixedPointWgsl.ts.

/** Mixes 32 bits (the finaliser "lowbias32" of C. Wellons' hash prospector). */
export function mixBits(value: number): number {
  let x = value;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}

/** 32-bit hash of a row in a round, 0..2^32-1. The row id counts modulo 2^32. */
export function rowHash(seed: number, round: number, rowId: number): number {
  return (
    mixBits(mixBits(mixBits(seed | 0) + Math.imul(round, 0x9e3779b1)) + Math.imul(rowId, 0x85ebca77)) >>> 0
  );
}
