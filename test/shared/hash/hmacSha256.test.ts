import { createHash, createHmac, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { codesEqual, hmacSha256 } from '../../../shared/hash/hmacSha256.ts';
import { sha256, toHex } from '../../../shared/hash/sha256.ts';

const lengths = [0, 1, 55, 56, 63, 64, 65, 257];

describe('SHA-256 and HMAC in plain code', () => {
  it.each(lengths)('hash %i bytes as the platform does', (length) => {
    const bytes = randomBytes(length);
    expect(toHex(sha256(bytes))).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it.each(lengths.flatMap((key) => lengths.map((message) => [key, message] as const)))(
    'make the code of a key of %i and a message of %i bytes as the platform does',
    (keyBytes, messageBytes) => {
      const [key, message] = [randomBytes(keyBytes), randomBytes(messageBytes)];
      const expected = createHmac('sha256', key).update(message).digest('hex');
      expect(toHex(hmacSha256(key, message))).toBe(expected);
    },
  );

  it('make the code of RFC 4231, test case 2', () => {
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    expect(toHex(hmacSha256(bytes('Jefe'), bytes('what do ya want for nothing?')))).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });
});

describe('codes', () => {
  it('are equal only when every character is', () => {
    const code = 'ab'.repeat(32);
    expect(codesEqual(code, 'ab'.repeat(32))).toBe(true);
    for (const at of [0, 31, 63]) {
      expect(codesEqual(code, `${code.slice(0, at)}x${code.slice(at + 1)}`)).toBe(false);
    }
    expect([codesEqual(code, ''), codesEqual(code, `${code}a`), codesEqual('', '')]).toEqual([
      false,
      false,
      true,
    ]);
  });
});
