// A hash of (seed, row index): the random choices of splits and shuffles, the same however rows are batched.

/** 32 well-mixed bits. MurmurHash3's finaliser (Appleby, public domain) over the parts. */
export function seededRowHash(seed: number, row: number): number {
  let hash = mix((seed | 0) ^ 0x9e37_79b9);
  hash = mix(hash ^ (row | 0));
  // Rows beyond 2^32 differ in their upper part.
  return mix(hash ^ Math.floor(row / 0x1_0000_0000)) >>> 0;
}

function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) | 0;
}
