// Sorting of 32-bit keys in linear time, for columns and margins of millions of rows.

const RADIX_BITS = 11;
const RADIX = 1 << RADIX_BITS;
const MASK = RADIX - 1;

/**
 * Sorts unsigned 32-bit keys ascending, in place, and moves `payload` along (stable).
 * Least significant digit first, three passes of 11 bits; a pass whose digit is the same everywhere is skipped.
 */
export function radixSort(keys: Uint32Array, payload?: Uint32Array | Float64Array): void {
  const length = keys.length;
  const counts = new Uint32Array(3 * RADIX);
  for (let i = 0; i < length; i += 1) {
    const key = keys[i]!;
    counts[key & MASK]! += 1;
    counts[RADIX + ((key >>> RADIX_BITS) & MASK)]! += 1;
    counts[2 * RADIX + (key >>> (2 * RADIX_BITS))]! += 1;
  }
  let fromKeys: Uint32Array = keys;
  let toKeys: Uint32Array = new Uint32Array(length);
  let fromPayload: Uint32Array | Float64Array | undefined = payload;
  let toPayload: Uint32Array | Float64Array | undefined = payload?.slice();
  for (let pass = 0; pass < 3; pass += 1) {
    const shift = pass * RADIX_BITS;
    const starts = counts.subarray(pass * RADIX, (pass + 1) * RADIX);
    if (length === 0 || starts[(fromKeys[0]! >>> shift) & MASK] === length) continue;
    let next = 0;
    for (let digit = 0; digit < RADIX; digit += 1) {
      const count = starts[digit]!;
      starts[digit] = next;
      next += count;
    }
    for (let i = 0; i < length; i += 1) {
      const key = fromKeys[i]!;
      const digit = (key >>> shift) & MASK;
      const to = starts[digit]!;
      starts[digit] = to + 1;
      toKeys[to] = key;
      if (toPayload !== undefined) toPayload[to] = fromPayload![i]!;
    }
    [fromKeys, toKeys] = [toKeys, fromKeys];
    [fromPayload, toPayload] = [toPayload, fromPayload];
  }
  if (fromKeys === keys) return;
  keys.set(fromKeys);
  if (payload !== undefined) payload.set(fromPayload!);
}

/** Flips a float32's bits so that unsigned order is the order of the numbers; `unflipFloat` undoes it. */
export function flipFloat(bits: number): number {
  return (bits & 0x80000000 ? ~bits : bits | 0x80000000) >>> 0;
}

export function unflipFloat(key: number): number {
  return (key & 0x80000000 ? key & 0x7fffffff : ~key) >>> 0;
}
