// Float32 values as integers in the same order, so that one comparison of integers also settles where missing values go.

/** Below the keys of all numbers. */
export const MISSING_BELOW = -0x80000000;
/** Above the keys of all numbers. */
export const MISSING_ABOVE = 0x7ffffffe;

/**
 * An integer for a float32: a < b as their keys are, and -0 is 0.
 * @param missing the key of NaN.
 */
export function floatKey(value: number, missing: number): number {
  const floats = new Float32Array(1);
  const keys = new Int32Array(floats.buffer);
  writeKeys(floats, keys, 0, new Float32Array([value]), 0, 1, missing);
  return keys[0]!;
}

/** Writes the keys of column [start, start + count) from keys[first] on; `floats` is a view of the memory of `keys`. */
export function writeKeys(
  floats: Float32Array,
  keys: Int32Array,
  first: number,
  column: Float32Array,
  start: number,
  count: number,
  missing: number,
): void {
  for (let i = 0; i < count; i += 1) {
    const value = column[start + i]!;
    // Adding 0 makes -0 to 0. Negative floats grow with their bits, so all bits but the sign are turned.
    floats[first + i] = value + 0;
    const bits = keys[first + i]!;
    // NaN is the only number unlike itself.
    keys[first + i] = value === value ? bits ^ ((bits >> 31) & 0x7fffffff) : missing;
  }
}
