// IEEE 754 half precision, rounded to nearest even: half of the bytes. (Float16Array is too new for the browsers and
// Node versions that are supported.)

import type { VectorCodec } from './vectorCodecs.ts';

/** Largest finite half. Gradients beyond it are cut, and the rest comes with the next step. */
const MOST = 65_504;

export const f16Vector: VectorCodec = {
  encode(values) {
    const halves = new Uint16Array(values.length);
    const word = new Float32Array(1);
    const bits = new Uint32Array(word.buffer);
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      word[0] = Number.isNaN(value) ? value : Math.max(-MOST, Math.min(MOST, value));
      halves[i] = toHalf(bits[0]!);
    }
    return new Uint8Array(halves.buffer);
  },
  decode(bytes, length) {
    if (bytes.length !== 2 * length) {
      throw new RangeError(`${bytes.length} bytes are no ${length} halves; expected ${2 * length}`);
    }
    const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
    return Float32Array.from(new Uint16Array(aligned.buffer, aligned.byteOffset, length), fromHalf);
  },
};

/** @param all the bits of an f32. */
function toHalf(all: number): number {
  const sign = (all >>> 16) & 0x8000;
  const exponent = (all >>> 23) & 0xff;
  const mantissa = all & 0x7f_ffff;
  if (exponent === 0xff) return sign | 0x7e00;
  if (exponent < 103) return sign; // Below half of the least subnormal.
  const isSubnormal = exponent < 113;
  const shift = isSubnormal ? 126 - exponent : 13;
  const whole = isSubnormal ? mantissa | 0x80_0000 : mantissa | ((exponent - 112) << 23);
  const half = whole >>> shift;
  const rest = whole & ((1 << shift) - 1);
  const middle = 1 << (shift - 1);
  // A carry into the exponent is right: the next power of two.
  return sign | (half + (rest > middle || (rest === middle && (half & 1) === 1) ? 1 : 0));
}

function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}
