import { describe, expect, it } from 'vitest';
import { vectorCodecs } from '../../../../client/neural/codec/vectorCodecs.ts';
import { seededRandom } from '../../../setup/seededRandom.ts';

const LENGTHS = [0, 1, 255, 256, 257, 1000];

function drawn(length: number, size: number): Float32Array {
  const random = seededRandom(length + 1);
  return Float32Array.from({ length }, () => (random() - 0.5) * size * 10 ** Math.floor(-6 * random()));
}

describe.each(Object.entries(vectorCodecs))('the codec %s', (_, codec) => {
  it.each(LENGTHS)('gives back %d values, also from bytes that lie anywhere', (length) => {
    const values = drawn(length, 8);
    const bytes = codec.encode(values);
    const decoded = codec.decode(bytes, length);
    expect(decoded).toHaveLength(length);
    const moved = new Uint8Array(bytes.length + 3);
    moved.set(bytes, 3);
    expect(codec.decode(moved.subarray(3), length)).toEqual(decoded);
    // Of a part of a larger array, too.
    const part = new Float32Array([7, ...values, 7]).subarray(1, length + 1);
    expect(codec.encode(part)).toEqual(bytes);
  });

  it('refuses bytes of another length', () => {
    expect(() => codec.decode(new Uint8Array(5), 4)).toThrow(RangeError);
  });
});

describe('half precision', () => {
  const { f16 } = vectorCodecs;

  // IEEE 754 binary16.
  it.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [0.1, 0x2e66],
    [1 / 3, 0x3555],
    [65_504, 0x7bff],
    [2 ** -14, 0x0400],
    [1023 * 2 ** -24, 0x03ff],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [1.5 * 2 ** -25, 0x0001],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [NaN, 0x7e00],
    // What is too large for a half is cut.
    [65_520, 0x7bff],
    [-1e30, 0xfbff],
    [Infinity, 0x7bff],
  ])('%d is %i', (value, half) => {
    const bytes = f16.encode(Float32Array.of(value));
    expect(bytes[0]! + 256 * bytes[1]!).toBe(half);
  });

  it('gives back every finite half as it was', () => {
    const halves = Uint16Array.from({ length: 2 ** 16 }, (_, half) => half).filter(
      (half) => ((half >>> 10) & 0x1f) !== 0x1f,
    );
    const decoded = f16.decode(new Uint8Array(halves.buffer), halves.length);
    expect(new Uint16Array(f16.encode(decoded).buffer)).toEqual(halves);
  });

  it('rounds to the nearest', () => {
    const values = drawn(5000, 20);
    const decoded = f16.decode(f16.encode(values), values.length);
    values.forEach((value, i) => {
      // Between 2^e and 2^(e+1) halves are 2^(e−10) apart; below 2^-14, 2^-24.
      const apart = 2 ** (Math.max(-14, Math.floor(Math.log2(Math.abs(value)))) - 10);
      expect(Math.abs(decoded[i]! - value)).toBeLessThanOrEqual(apart / 2);
    });
  });
});

describe('bytes with a scale a block', () => {
  const { int8 } = vectorCodecs;

  it('are no further off than half of a step of their block', () => {
    const values = drawn(1000, 4);
    const decoded = int8.decode(int8.encode(values), values.length);
    for (let start = 0; start < values.length; start += 256) {
      const block = values.subarray(start, start + 256);
      const step = block.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
      block.forEach((value, i) => {
        expect(Math.abs(decoded[start + i]! - value)).toBeLessThanOrEqual(step * 0.5001);
      });
    }
  });

  it('show what is not finite, and leave other blocks alone', () => {
    const values = drawn(600, 4);
    values[300] = Number.NaN;
    const decoded = int8.decode(int8.encode(values), values.length);
    expect(decoded[300]).toBeNaN();
    expect(decoded.subarray(0, 256).every(Number.isFinite)).toBe(true);
    expect(decoded.subarray(512).every(Number.isFinite)).toBe(true);
  });
});
