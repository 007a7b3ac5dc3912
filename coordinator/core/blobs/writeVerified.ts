// Writes a stream of bytes to a new file while hashing it, one chunk in memory at a time.

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { BlobMismatchError, BlobTooLargeError } from './blobErrors.ts';
import type { BlobAddress, BytePieces, PutOptions } from './blobStore.ts';

/** @throws BlobMismatchError, BlobTooLargeError, the system's errors and what the source throws; the file is the caller's. */
export async function writeVerified(
  file: string,
  source: BytePieces,
  { sha256: expected, maxBytes = Infinity, signal }: PutOptions,
): Promise<BlobAddress> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const handle = await open(file, 'wx', 0o600);
  try {
    for await (const chunk of source) {
      signal?.throwIfAborted();
      sizeBytes += chunk.byteLength;
      if (sizeBytes > maxBytes) throw new BlobTooLargeError(`A blob may have at most ${maxBytes} bytes`);
      hash.update(chunk);
      await handle.writeFile(chunk);
    }
  } finally {
    await handle.close();
  }
  const sha256 = hash.digest('hex');
  if (expected !== undefined && sha256 !== expected) {
    throw new BlobMismatchError(`The ${sizeBytes} bytes hash to ${sha256}, expected ${expected}`);
  }
  return { sha256, sizeBytes };
}
