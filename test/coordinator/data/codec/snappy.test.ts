import { compressors } from 'hyparquet-compressors';
import { snappyCompress } from 'hyparquet-writer/src/snappy.js';
import { describe, expect, it } from 'vitest';
import { snappyLength, unpackSnappy } from '../../../../coordinator/data/codec/snappy.ts';
import { seededRandom } from '../../../setup/seededRandom.ts';

const ascii = (text: string): number[] => [...new TextEncoder().encode(text)];

function unpack(bytes: Uint8Array): Uint8Array {
  return unpackSnappy(bytes, new Uint8Array(snappyLength(bytes)));
}

describe('Snappy', () => {
  it('unpacks literals and copies of all kinds, by the description of the format', () => {
    // "abc"; seven bytes from three before, which overlap; four from ten before in two bytes; three from two before in four.
    const packed = Uint8Array.from([17, 2 << 2, ...ascii('abc'), 0x0d, 3, 0x0e, 10, 0, 0x0b, 2, 0, 0, 0]);
    expect(new TextDecoder().decode(unpack(packed))).toBe('abcabcabcaabcacac');
  });

  it.each([0, 1, 63, 64, 65, 257, 70_000, 300_000])('unpacks %i bytes as the library does', (size) => {
    const random = seededRandom(size);
    for (const symbols of [2, 20, 256]) {
      const content = Uint8Array.from({ length: size }, () => symbols * random());
      const packed = snappyCompress(content).slice();
      expect(Buffer.compare(unpack(packed), content)).toBe(0);
      if (size > 0) expect(Buffer.compare(compressors.SNAPPY!(packed, size), content)).toBe(0);
    }
  });

  it.each([
    ['its length', [0x80]],
    ['cut off', [5, 4 << 2, 1, 2, 3]],
    ['cut off', [2, 2 << 2, 1, 2, 3]],
    ['leads outside', [9, 0, 1, 0x01, 2]],
    ['leads outside', [9, 0, 1, 0x01, 0]],
    ['leads outside', [3, 0, 1, 0x01, 1]],
    ['ends after 1', [9, 0, 1]],
  ])('refuses what is damaged: %s', (message, bytes) => {
    expect(() => unpack(Uint8Array.from(bytes))).toThrow(message);
  });
});
