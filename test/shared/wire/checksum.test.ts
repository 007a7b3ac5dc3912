import { describe, expect, it } from 'vitest';
import { checksum32 } from '../../../shared/wire/checksum.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** XXH32 once more, byte by byte and in BigInt, from the specification. */
function specifiedXxh32(bytes: Uint8Array, seed: number): number {
  const mask = 0xffffffffn;
  const primes = [0x9e3779b1n, 0x85ebca77n, 0xc2b2ae3dn, 0x27d4eb2fn, 0x165667b1n] as const;
  const rotate = (value: bigint, bits: bigint): bigint => ((value << bits) | (value >> (32n - bits))) & mask;
  const word = (at: number): bigint =>
    [3, 2, 1, 0].reduce((value, byte) => (value << 8n) | BigInt(bytes[at + byte] as number), 0n);
  const start = BigInt(seed);
  let at = 0;
  let hash = (start + primes[4]) & mask;
  if (bytes.length >= 16) {
    const lanes = [start + primes[0] + primes[1], start + primes[1], start, start - primes[0]];
    for (; at + 16 <= bytes.length; at += 16) {
      for (const lane of lanes.keys()) {
        const sum = ((lanes[lane] as bigint) + word(at + lane * 4) * primes[1]) & mask;
        lanes[lane] = (rotate(sum, 13n) * primes[0]) & mask;
      }
    }
    hash = [1n, 7n, 12n, 18n].reduce(
      (sum, bits, lane) => sum + rotate((lanes[lane] as bigint) & mask, bits),
      0n,
    );
  }
  hash = (hash + BigInt(bytes.length)) & mask;
  for (; at + 4 <= bytes.length; at += 4) {
    hash = (rotate((hash + word(at) * primes[2]) & mask, 17n) * primes[3]) & mask;
  }
  for (; at < bytes.length; at += 1) {
    hash = (rotate((hash + BigInt(bytes[at] as number) * primes[4]) & mask, 11n) * primes[0]) & mask;
  }
  hash = ((hash ^ (hash >> 15n)) * primes[1]) & mask;
  hash = ((hash ^ (hash >> 13n)) * primes[2]) & mask;
  return Number(hash ^ (hash >> 16n));
}

describe('checksum32', () => {
  it('gives the published XXH32 values', () => {
    expect(checksum32(new Uint8Array(0))).toBe(0x02cc5d05);
    expect(checksum32(ascii('a'))).toBe(0x550d7456);
    expect(checksum32(ascii('abc'))).toBe(0x32d153ff);
    expect(checksum32(ascii('Nobody inspects the spammish repetition'))).toBe(0xe2293b2f);
  });

  it('agrees with the specification at every length up to 300 bytes, any seed and any alignment', () => {
    const pool = Uint8Array.from({ length: 310 }, (_, at) => (at * 167 + 13) & 255);
    for (let length = 0; length <= 300; length += 1) {
      const bytes = pool.subarray(length % 5, (length % 5) + length);
      const seed = Math.imul(length, 0x9e3779b1) >>> 0;
      expect(checksum32(bytes, seed)).toBe(specifiedXxh32(bytes, seed));
    }
  });

  it('changes with every single bit of a frame-sized message', () => {
    const bytes = Uint8Array.from({ length: 257 }, (_, at) => at & 255);
    const whole = checksum32(bytes);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(checksum32(bytes)).not.toBe(whole);
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
    }
  });
});
