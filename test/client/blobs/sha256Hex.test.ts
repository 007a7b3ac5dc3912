import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { sha256Hex } from '../../../client/blobs/sha256Hex.ts';

test.each([0, 1, 3, 55, 56, 63, 64, 65, 119, 120, 128, 257, 100_003])(
  'SHA-256 of %i bytes is the same with and without the platform, and as node:crypto has it',
  async (length) => {
    const padded = Uint8Array.from({ length: length + 8 }, (_, index) => (index * 167 + 13) % 256);
    // A view that does not start at its buffer's beginning.
    const bytes = padded.subarray(3, 3 + length);
    const expected = createHash('sha256').update(bytes).digest('hex');
    expect(await sha256Hex(bytes)).toBe(expected);
    expect(await sha256Hex(bytes, null)).toBe(expected);
  },
);
