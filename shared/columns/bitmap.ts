// Arrow's validity bitmaps: one bit a row, least significant first, 1 for a value.

/** @param valid one byte a row, 0 or 1. */
export function bitmapOf(valid: Uint8Array): { bitmap: Uint8Array; nullCount: number } {
  const bitmap = packBits(valid);
  let count = 0;
  for (let i = 0; i < valid.length; i++) count += valid[i]!;
  return { bitmap, nullCount: valid.length - count };
}

/** Eight bytes (0 or 1) to one, least significant first. */
export function packBits(bits: Uint8Array): Uint8Array {
  // Arrow wants its buffers padded to 8 bytes.
  const packed = new Uint8Array(Math.ceil(bits.length / 64) * 8);
  for (let i = 0; i < bits.length; i++) packed[i >> 3]! |= bits[i]! << (i & 7);
  return packed;
}

/** One byte a row from bit `offset` on. */
export function unpackBitmap(bitmap: Uint8Array, offset: number, rows: number): Uint8Array {
  const valid = new Uint8Array(rows);
  for (let i = 0, bit = offset; i < rows; i++, bit++) valid[i] = (bitmap[bit >> 3]! >> (bit & 7)) & 1;
  return valid;
}
