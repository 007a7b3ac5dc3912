// Short hashes of pieces of gradients: what a member sent is compared by them, so that nobody can say otherwise later.

import { sha256, toHex } from '../../../shared/hash/sha256.ts';
import { sha256Hex } from '../../blobs/sha256Hex.ts';

/** Half of a SHA-256: two pieces of one digest can not be found. */
export const DIGEST_BYTES = 16;
const CHARACTERS = 2 * DIGEST_BYTES;

/** Stands for what could not be computed. */
export const noDigest = '0'.repeat(CHARACTERS);

/** In hexadecimal digits. */
export async function digestOf(bytes: Uint8Array): Promise<string> {
  return (await sha256Hex(bytes)).slice(0, CHARACTERS);
}

/** Of several pieces in order, from their digests. */
export function joinDigests(digests: readonly string[]): string {
  const [only] = digests;
  if (digests.length === 1) return only!;
  return toHex(sha256(new TextEncoder().encode(digests.join('')))).slice(0, CHARACTERS);
}

/** @param at in bytes. */
export function writeDigest(digest: string, into: Uint8Array, at: number): void {
  for (let byte = 0; byte < DIGEST_BYTES; byte += 1)
    into[at + byte] = Number.parseInt(digest.slice(2 * byte, 2 * byte + 2), 16);
}

/** @param at in bytes. */
export function readDigest(from: Uint8Array, at: number): string {
  return toHex(from.subarray(at, at + DIGEST_BYTES));
}
