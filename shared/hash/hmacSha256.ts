// HMAC (RFC 2104) with SHA-256, for proofs of knowing a key. Synchronous and the same on every platform: proofs are short.

import { sha256 } from './sha256.ts';

/** Bytes that SHA-256 takes at once. */
const BLOCK_BYTES = 64;

/** The 32 bytes of the code of `message` under `key`. */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(key.length > BLOCK_BYTES ? sha256(key) : key);
  const inner = sha256(joined(padded(block, 0x36), message));
  return sha256(joined(padded(block, 0x5c), inner));
}

/** Whether two codes, written as text, are the same; takes as long wherever they differ. */
export function codesEqual(one: string, other: string): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let at = 0; at < one.length; at += 1) difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return difference === 0;
}

function padded(block: Uint8Array, pad: number): Uint8Array {
  return block.map((byte) => byte ^ pad);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
