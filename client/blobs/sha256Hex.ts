// SHA-256 of received bytes. The platform's own where there is one; browsers withhold it from pages over plain http
// (a coordinator on the local network), and there it is computed here.

import { sha256, toHex } from '../../shared/hash/sha256.ts';

/** Up to here the plain code takes no longer (0.2 ms) than a question to another thread. */
const MAX_PLAIN_BYTES = 8 * 1024;

/** Lower-case hexadecimal digest. */
export async function sha256Hex(
  bytes: Uint8Array,
  subtle: SubtleCrypto | null = globalThis.crypto.subtle ?? null,
  maxPlainBytes = MAX_PLAIN_BYTES,
): Promise<string> {
  const digest =
    subtle && bytes.length > maxPlainBytes
      ? new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
      : sha256(bytes);
  return toHex(digest);
}
