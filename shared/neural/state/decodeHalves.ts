// IEEE 754 half precision as float32. (Float16Array is too new for the browsers and Node versions that are supported.) It works
// on bits, in a loop without calls of callbacks: every gradient that travels in halves passes here.

/** @param bytes two for each value, the low one first. @throws RangeError when they are not as many. */
export function decodeHalves(bytes: Uint8Array, length: number): Float32Array<ArrayBuffer> {
  if (bytes.length !== 2 * length) {
    throw new RangeError(`${bytes.length} bytes are no ${length} halves; expected ${2 * length}`);
  }
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  const halves = new Uint16Array(aligned.buffer, aligned.byteOffset, length);
  const values = new Float32Array(length);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < length; i++) {
    const half = halves[i]!;
    const exponent = (half >>> 10) & 0x1f;
    // Zeros, subnormals, infinities and NaN are rare, but for zeros.
    if (exponent !== 0 && exponent !== 0x1f)
      bits[i] = ((half & 0x8000) << 16) | (((half & 0x7fff) << 13) + (112 << 23));
    else if (half !== 0) values[i] = halfValue(half);
  }
  return values;
}

/** @param half the 16 bits of a number. */
export function halfValue(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (0x400 + mantissa) * 2 ** (exponent - 25));
}
