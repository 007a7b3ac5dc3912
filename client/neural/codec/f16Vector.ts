// IEEE 754 half precision, rounded to nearest even: half of the bytes. It works on bits, in a
// loop without calls of callbacks: every gradient passes here.

import { decodeHalves } from '../../../shared/neural/state/decodeHalves.ts';
import type { VectorCodec } from './vectorCodec.ts';

/** Exponent of the first f32 that no half holds: 2^16. */
const TOO_LARGE = 127 + 16;
/** 65,504. Gradients beyond it are cut, and the rest comes with the next step. */
const MOST = 0x7bff;
const NOT_A_NUMBER = 0x7e00;

export const f16Vector: VectorCodec = {
  mostBytes: (length) => 2 * length,
  encode(values) {
    const halves = new Uint16Array(values.length);
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < bits.length; i++) halves[i] = toHalf(bits[i]!);
    return new Uint8Array(halves.buffer);
  },
  decode: decodeHalves,
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
