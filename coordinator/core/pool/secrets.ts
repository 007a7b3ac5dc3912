// Secrets are compared in constant time: over their digests, since equal lengths are needed and lengths leak too.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

export function secretsEqual(given: string | undefined, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given ?? ''), digest(expected)) && given !== undefined;
}

/**
 * 256 bits, URL-safe. The first character is a letter or a digit: a command line takes a word that begins with "-"
 * for an option, so that `--token -abc` would lack its value.
 */
export function makeSecret(): string {
  for (;;) {
    const secret = randomBytes(32).toString('base64url');
    if (/^[A-Za-z0-9]/.test(secret)) return secret;
  }
}

/** 48 bits in hex: PeerJS refuses ids that begin, end or go on with "-" or "_" where base64url may put them. */
export function makeId(): string {
  return randomBytes(6).toString('hex');
}

/** From 0 to below 1, which nobody can foresee. */
export function secretRandom(): number {
  return randomBytes(6).readUIntBE(0, 6) / 2 ** 48;
}
