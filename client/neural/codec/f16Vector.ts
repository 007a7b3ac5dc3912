// IEEE 754 half precision, rounded to nearest even: half of the bytes. (Float16Array is too new for the browsers and
// Node versions that are supported.) Both ways work on bits, in loops without calls of callbacks: every gradient passes here.

import type { VectorCodec } from './vectorCodecs.ts';

/** Exponent of the first f32 that no half holds: 2^16. */
const TOO_LARGE = 127 + 16;
/** 65,504. Gradients beyond it are cut, and the rest comes with the next step. */
const MOST = 0x7bff;
const NOT_A_NUMBER = 0x7e00;

export const f16Vector: VectorCodec = {
  encode(values) {
    const halves = new Uint16Array(values.length);
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < bits.length; i++) halves[i] = toHalf(bits[i]!);
    return new Uint8Array(halves.buffer);
  },
  decode(bytes, length) {
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
      else if (half !== 0) values[i] = fromUnusual(half);
    }
    return values;
  },
};

/** @param all the bits of an f32. */
function toHalf(all: number): number {
  const sign = (all >>> 16) & 0x8000;
  const exponent = (all >>> 23) & 0xff;
  const mantissa = all & 0x7f_ffff;
  if (exponent === 0xff && mantissa !== 0) return sign | NOT_A_NUMBER;
  if (exponent >= TOO_LARGE) return sign | MOST;
  if (exponent < 102) return sign; // Below half of the least subnormal.
  const isSubnormal = exponent < 113;
  const shift = isSubnormal ? 126 - exponent : 13;
  const whole = isSubnormal ? mantissa | 0x80_0000 : mantissa | ((exponent - 112) << 23);
  const half = whole >>> shift;
  const rest = whole & ((1 << shift) - 1);
  const middle = 1 << (shift - 1);
  // A carry into the exponent is right: the next power of two, but for the last.
  const rounded = half + (rest > middle || (rest === middle && (half & 1) === 1) ? 1 : 0);
  return sign | Math.min(MOST, rounded);
}

/** With the least or the largest exponent. */
function fromUnusual(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const mantissa = half & 0x3ff;
  if (((half >>> 10) & 0x1f) === 0) return sign * mantissa * 2 ** -24;
  return mantissa === 0 ? sign * Infinity : Number.NaN;
}
